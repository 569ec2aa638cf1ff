// The keyboard and the mouse, which belong to the screen.
#ifndef CTERMINAL_KEYBOARD_H
#define CTERMINAL_KEYBOARD_H

void keyboard_open(void);
void keyboard_close(void);

#endif
