#ifndef CBENCHMARKPEERS_H
#define CBENCHMARKPEERS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A plain four-level table of 512 entries a level, 4 KiB pages, as one would write it in C. Map and
   unmap return the entry that was there. */
struct radix;
struct radix *radix_create(void);
void radix_destroy(struct radix *table);
uint64_t radix_map(struct radix *table, uint64_t address, uint64_t leaf);
uint64_t radix_walk(const struct radix *table, uint64_t address);
uint64_t radix_unmap(struct radix *table, uint64_t address);

/* std::map of disjoint ranges. Insertion fuses what it overlaps with it, with payload 1, and says whether
   it did; removal takes the first range that overlaps, and returns its payload, as finding does. */
struct rangemap;
struct rangemap *rangemap_create(void);
void rangemap_destroy(struct rangemap *map);
uint64_t rangemap_insert(struct rangemap *map, uint64_t start, uint64_t end, uint64_t payload);
uint64_t rangemap_find(struct rangemap *map, uint64_t address);
uint64_t rangemap_remove(struct rangemap *map, uint64_t start, uint64_t end);

/* Gives freed memory back to the system, so that the next round begins with untouched pages. */
void release_free_memory(void);

/* Bytes allocated now. */
uint64_t allocated_bytes(void);

#ifdef __cplusplus
}
#endif

#endif
