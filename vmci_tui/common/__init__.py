"""What everything may use: errors, safe text, spans, progress, budgets, signals, small files."""
