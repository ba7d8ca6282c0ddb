/* Types for tests/kernel/test_btf.py, made with
   `gcc -gbtf -c types.c && objcopy -O binary -j .BTF --set-section-flags .BTF=alloc types.o types.btf` */
typedef unsigned long word;
typedef struct { int counter; } atomic_t;
enum flags { PG_locked, PG_lru = 5, PG_last = 0x7fffffff };
enum negative { BELOW = -257, ABOVE = 1 };
enum wide { HUGE = 0x100000000 };
union either { char c; word w; };
struct deep {
	char first;
	struct { short a; union { int u; struct { char pad[3]; char inner; }; }; };
	const volatile atomic_t count;
	struct { struct deep *next, *prev; } list;
	word many[11];
	union either either;
	unsigned low : 3, high : 7;
	char *texts[2];
};
struct empty {};
typedef struct deep deep_t;
deep_t deep;
enum flags flags;
enum negative negative;
enum wide wide;
struct empty empty[4];
