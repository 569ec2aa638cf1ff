// Pseudoterminals for tests: what Swift's Glibc does not offer, fork above all.
#ifndef CPSEUDOTERMINAL_H
#define CPSEUDOTERMINAL_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

struct cpty_job {
	pid_t pid;            // the program
	pid_t shell;          // what started it
	int terminal;         // the side of the pseudoterminal that a terminal emulator holds
	int reports;          // what the program writes to descriptor 3
	int statuses;         // an int, as from waitpid, when the program stops or ends
	struct termios modes; // what the program finds
};

// Starts a program as a shell does: in a process group of its own, in the foreground or not, on a
// new pseudoterminal of that size. After SIGSTOP the shell has the terminal, so that the program
// continues in the background; when it stops for want of the terminal, it is brought to the
// foreground. While the shell has the terminal, it sets other modes.
bool cpty_start(struct cpty_job *job, char *const argv[], char *const environment[], int width,
		int height, bool foreground);

// Takes the terminal away, as when its window is closed.
void cpty_hang_up(struct cpty_job *job);

// Ends the program and its shell and closes the descriptors.
void cpty_finish(struct cpty_job *job);

// Changes the size of the terminal.
bool cpty_resize(const struct cpty_job *job, int width, int height);

// Opens a pseudoterminal without a program, whose output is read and forgotten until it is closed.
// Returns the program's side, or -1.
int cpty_open(int width, int height);

#endif
