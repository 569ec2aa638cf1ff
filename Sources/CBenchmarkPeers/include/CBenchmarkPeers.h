#ifndef CBENCHMARKPEERS_H
#define CBENCHMARKPEERS_H

#include <stdint.h>

/* A plain four-level table of 512 entries a level, 4 KiB pages, as one would write it in C. Map and
   unmap return the entry that was there. */
struct radix;
struct radix *radix_create(void);
void radix_destroy(struct radix *table);
uint64_t radix_map(struct radix *table, uint64_t address, uint64_t leaf);
uint64_t radix_walk(const struct radix *table, uint64_t address);
uint64_t radix_unmap(struct radix *table, uint64_t address);


/* Gives freed memory back to the system, so that the next round begins with untouched pages. */
void release_free_memory(void);

#endif
