/*
 * fault.h - named points at which test builds can be told to die: SEALPOST_FAULT="NAME=kill[:N]", at the N-th pass (1 by
 * default) or to fail, or "@FILE" for a file that holds the same and may change at any time. NAME may hold * and ?. Nothing is compiled
 * in without --enable-faults. tests/crash/points lists the points and the tests that kill there.
 */
#ifndef SP_BASE_FAULT_H
#define SP_BASE_FAULT_H

#ifdef SP_FAULTS
/* Dies with SIGKILL when SEALPOST_FAULT names this point. */
void sp_fault(const char *name);

/* The point "STEP-before" or "STEP-after" of a durable step whose name is made here: printf's words. */
void sp_fault_step(const char *when, const char *step_fmt, ...) __attribute__((format(printf, 2, 3)));
/* The errno that a call here is to fail with: "NAME=errno:N"; 0: none. With "@FILE", FILE.met is made when there is one. */
int sp_fault_errno(const char *name);

/* The same for the point "STAGE/STEP". */
int sp_fault_errno_at(const char *stage, const char *step);
#define SP_FAULT_ERRNO(name) sp_fault_errno(name)
#define SP_FAULT_ERRNO_AT(stage, step) sp_fault_errno_at(stage, step)
#define SP_FAULT(name) sp_fault(name)
#define SP_FAULT_STEP(when, ...) sp_fault_step(when, __VA_ARGS__)
#else
#define SP_FAULT_ERRNO(name) 0
#define SP_FAULT_ERRNO_AT(stage, step) 0
#define SP_FAULT(name) ((void)0)
#define SP_FAULT_STEP(when, ...) ((void)0)
#endif

#endif
