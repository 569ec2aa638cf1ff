// What a fault leaves behind: the note of what whoever repairs the program has to know.
#ifndef CTERMINAL_FAULT_H
#define CTERMINAL_FAULT_H

// Whether a signal says that the program itself is at fault.
int is_fault(int signal);

// Writes the note to the standard error and to its file. For signal handlers.
void fault_leave_note(int signal);

#endif
