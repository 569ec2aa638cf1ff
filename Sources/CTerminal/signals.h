// Giving the terminal back without ncurses, as a signal handler must.
#ifndef CTERMINAL_SIGNALS_H
#define CTERMINAL_SIGNALS_H

#include <stddef.h>

// Catches the signals that end, stop, continue or resize the program.
void signals_install(int input, int output);

// Undoes signals_install and signals_hold.
void signals_remove(void);

// Waits, stopped, until the process is in the foreground of the terminal. -1 if it cannot stop.
int signals_await_foreground(void);

// Remembers the terminal's present modes as the shell's.
void signals_save_modes(void);

// Holds back all these signals, while the terminal is neither the shell's nor ours.
void signals_hold(void);

// Lets the signals through that end the program. The others are delivered in ct_wait.
void signals_release(void);

// The bytes that take the terminal from any state of the screen back to that of a shell.
void signals_set_reset(const char *bytes, size_t length);

// Says whether the screen is ours, so that a signal has to give it back.
void signals_set_armed(int armed);

// Stops the process until it is continued.
void signals_stop(void);

#endif
