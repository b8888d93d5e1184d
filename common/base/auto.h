/*
 * auto.h - the one clean-up style: SP_AUTO(type) *x = NULL; frees x with type_free() when its scope ends.
 * Auto variables stand at the top of a function, initialised; sp_take() hands ownership on.
 */
#ifndef SP_BASE_AUTO_H
#define SP_BASE_AUTO_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* Declares the clean-up of "struct type", for which type_free(struct type *) accepts NULL. Once, in the type's header. */
#define SP_AUTO_DEFINE(type)                                                        \
	static inline void sp_auto_##type(struct type **p) { type##_free(*p); }     \
	struct type

#define SP_AUTO(type) __attribute__((cleanup(sp_auto_##type))) struct type

/* The same for a struct held in place, which type_done(struct type *) empties (safe on zeroes). */
#define SP_AUTO_DONE_DEFINE(type)                                                   \
	static inline void sp_autodone_##type(struct type *p) { type##_done(p); }   \
	struct type

#define SP_AUTO_DONE(type) __attribute__((cleanup(sp_autodone_##type))) struct type

/* A malloc'd pointer, and a descriptor (-1 = none), freed and closed at the end of scope. */
static inline void sp_auto_mem(void *p) { free(*(void **)p); }
static inline void sp_auto_fdclose(int *fd) { if (*fd >= 0) close(*fd); }
#define SP_AUTO_MEM __attribute__((cleanup(sp_auto_mem)))
#define SP_AUTO_FD __attribute__((cleanup(sp_auto_fdclose))) int

/* Ownership leaves the variable: its value is returned and it becomes NULL (or -1). */
#define sp_take(p) __extension__({ __typeof__(*(p)) sp_taken_ = *(p); *(p) = NULL; sp_taken_; })
static inline int sp_take_fd(int *fd) { int f = *fd; *fd = -1; return f; }

#endif
