/* The first process of a tiny guest: it writes a few lines to the kernel's log, and then does what its argument says.
 *
 * Linux passes unknown words of its command line: `panic` (or nothing) ends this process, and with it the kernel;
 * `wait` waits.
 * It is static and uses no library: cc -static -nostdlib -Os -o init init.c
 */
#define SYS_write 1
#define SYS_open 2
#define SYS_close 3
#define SYS_pause 34
#define SYS_nanosleep 35
#define SYS_clone 56
#define SYS_exit 60
#define SYS_prctl 157

#define O_WRONLY 1
#define PR_SET_NAME 15
#define SIGCHLD 17

static long call(long number, long a, long b, long c, long d, long e)
{
    long out;
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
    __asm__ volatile("syscall" : "=a"(out) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return out;
}

static long length(const char *text)
{
    long out = 0;
    while (text[out])
        out++;
    return out;
}

/* Write a line to the kernel's log, as this task. */
static void say(const char *text)
{
    long log = call(SYS_open, (long)"/dev/kmsg", O_WRONLY, 0, 0, 0);
    call(SYS_write, log, (long)text, length(text), 0, 0);
    call(SYS_close, log, 0, 0, 0, 0);
}

static void rest(long seconds)
{
    long time[2] = {seconds, 0};
    call(SYS_nanosleep, (long)time, 0, 0, 0, 0);
}

/* Another process, on another CPU: it never leaves its own code. */
static void work(void)
{
    if (call(SYS_clone, SIGCHLD, 0, 0, 0, 0))
        return;
    call(SYS_prctl, PR_SET_NAME, (long)"ledger", 0, 0, 0);
    for (;;)
        ;
}

void begin(char **arguments)
{
    const char *what = arguments[2] ? arguments[2] : "panic";
    call(SYS_prctl, PR_SET_NAME, (long)"billing", 0, 0, 0);
    say("<6>billing: started");
    work();
    rest(2);
    if (what[0] == 'w') {
        say("<6>billing: ready");
        for (;;)
            call(SYS_pause, 0, 0, 0, 0, 0);
    }
    say("<4>billing: no answer from ledger for 2 s");
    say("<3>billing: cannot go on, exiting");
    call(SYS_exit, 1, 0, 0, 0, 0);
}

/* The stack holds the number of arguments, and their addresses. */
__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tcall begin\n");
