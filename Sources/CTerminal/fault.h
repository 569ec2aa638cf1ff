// The note that a fault leaves behind: what whoever repairs the program has to know.
#ifndef CTERMINAL_FAULT_H
#define CTERMINAL_FAULT_H

// Whether a signal says that the program itself is at fault.
int is_fault(int signal);

// Writes the note to its file. May be called in signal handlers, as may the next.
void fault_keep_note(int signal);

// Says on the standard error, in one line, where the note is; without a file, the note itself.
void fault_tell(int signal);

#endif
