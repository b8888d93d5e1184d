/*
 * room.h - is there room on a disk, less what is to stay free? Internal to peerd/data. Blocking, as file systems are.
 */
#ifndef PEERD_DATA_ROOM_H
#define PEERD_DATA_ROOM_H

#include <stdint.h>

#include "common/base/status.h"

/*
 * For need more bytes below this folder (which may be still to be made), besides those promised to others. SP_E_SPACE: not now.
 * SP_E_LIMIT: an empty disk would be too small. reserve 0: nothing is asked.
 */
SP_MUST_CHECK enum sp_status room_ask(const char *folder, uint64_t need, uint64_t promised, uint64_t reserve, struct sp_why *why);

/* On the file system of an open folder less than the reserve is free by now: SP_E_SPACE. */
SP_MUST_CHECK enum sp_status room_left(int folder, uint64_t reserve, struct sp_why *why);

#endif
