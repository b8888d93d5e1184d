/*
 * tree.h - files on the disk against the list of a receipt: each listed file is there, and has the content that
 * was signed. The work is linear in what lies below the PATHs (and a logarithm for each look into the list).
 */
#ifndef PEERD_CLI_TREE_H
#define PEERD_CLI_TREE_H

#include "common/packet/files_txt.h"
#include "peerd/cli/cli.h"

/* What became of a line of the list; where several PATHs hold it, the greatest counts. */
enum tree_verdict {
	TREE_UNSEEN,		/* no PATH stands for it */
	TREE_CHANGED,		/* it was not delivered */
	TREE_SAME,
	TREE_UNREADABLE,
	TREE_MISSING,
	TREE_DIFFERENT,
	TREE_VERDICTS
};

struct tree_tally {
	unsigned long long of[TREE_VERDICTS];
	unsigned long long unlisted;	/* files, and whole folders, on the disk only */
};

struct tree;
struct tree *tree_new(struct cli *cli, const struct sp_files *files);	/* both borrowed */
void tree_free(struct tree *t);
SP_AUTO_DEFINE(tree);

/*
 * PATH stands for the entry of the list whose path its own path ends in (what was sent, or a copy), or is the
 * folder that holds the listed names (where it was received): whichever fits what lies there. Says what is not as
 * listed; true if all of it is.
 */
bool tree_check(struct tree *t, const char *path);

void tree_count(const struct tree *t, struct tree_tally *ret_tally);

#endif
