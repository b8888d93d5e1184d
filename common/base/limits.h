/*
 * limits.h - every bound and every time the suite keeps to, each with its reason. Nothing else defines one.
 */
#ifndef SP_BASE_LIMITS_H
#define SP_BASE_LIMITS_H

/* names: they stand in certificates of <= 800 bytes and in letters of <= 1,200 */
#define SP_PERSON_MAX 32
#define SP_STATION_MAX 24
#define SP_DOMAIN_MAX 48
#define SP_NAME_MAX 106			/* person/station@domain */
#define SP_SERVICE_MAX 24
#define SP_HOST_MAX 64			/* a host name or address in a letter */

/* letters */
#define SP_LETTER_MAX 1200		/* a datagram that no path has to fragment */
#define SP_LETTER_TCP_MAX (64 * 1024 + 1024)	/* the TCP form carries lists of <= 64 KiB */
#define SP_LETTER_WINDOW_MS (10 * 60 * 1000)	/* replay memory and clock tolerance */
#define SP_LETTER_QUESTION 980		/* a question is filled up to this: its answer, a certificate, is never longer */
#define SP_LETTER_OUT 4096		/* own letters waiting for an answer */
#define SP_LETTER_OPEN 4096		/* letters at their handlers, not answered yet; then dropped */
#define SP_LETTER_OPEN_BOOK 512		/* of which kept for stations in the book */
#define SP_LETTER_TRIES 5
#define SP_LETTER_FIRST_MS 200		/* doubled at each try */
#define SP_LETTER_TCP_MS (10 * 1000)	/* for connecting and the answer, when the tries by datagram were in vain */
#define SP_LETTER_MEMORY 65536		/* answers remembered in all */
#define SP_LETTER_MEMORY_SENDER 1024	/* of which for one sender: nobody can push the others' out */
#define SP_LETTER_STRANGERS 64		/* unknown keys that are being asked for their certificate */
#define SP_LETTER_STRANGERS_PREFIX 8	/* of which from one network (/32, IPv6 /64) */
#define SP_LETTER_STRANGER_MS (10 * 1000)	/* for their answer */
#define SP_LETTER_OFFSET_MAX_MS (24ull * 3600 * 1000)	/* clocks that differ more are not helped */
#define SP_KNOWN_STRANGERS 4096		/* certificates kept of stations that are not in the book */
#define SP_CERT_MAX 800			/* a certificate fits one letter */
#define SP_LETTER_CONNS 256		/* TCP connections of a command port: 17 MiB of half-sent letters */
#define SP_LETTER_CONNS_PREFIX 16	/* of which from one network (/32, IPv6 /64) */
#define SP_LETTER_CONN_IDLE_MS (30 * 1000)	/* without a letter, or with a half-sent one */
#define SP_LETTER_CONN_BAD 8		/* letters on one connection that are none, or open to nothing: then it ends */
#define SP_LETTER_CONNECT_MS (10 * 1000)	/* for a TCP connection to come about */
#define SP_LETTER_CONN_QUEUE (256 * 1024)	/* bytes waiting to leave on one connection */
#define SP_LETTER_OPENS 1000		/* letters of strangers opened in a second: a fifth of one core */
#define SP_LETTER_OPENS_BOOK 2000	/* beside them, of stations in the book that write from where they are known */
#define SP_LETTER_RATE 100		/* of strangers of one network (/32, IPv6 /64), a second; twice as many at once */
#define SP_LETTER_RATE_WIDE 400		/* of a wider one (/24, IPv6 /48) */
#define SP_LETTER_RATE_STATION 1000	/* of one station of the book */
#define SP_LETTER_RATE_FORGEABLE 50	/* while its address is not proved by a cookie: others could write in its name */
#define SP_LETTER_COOKIE_MS (2 * 60 * 1000)	/* a cookie's secret; the one before it still holds */
#define SP_LETTER_COOKIES 256		/* cookies of others that are kept */
#define SP_LETTER_COOKIES_LETTER 8	/* that one own letter takes */
#define SP_WAYS 256			/* addresses of which is known that datagrams or TCP get no answer there */
#define SP_WAYS_MS (10 * 60 * 1000)	/* so long: then a letter goes by datagram first again, which may cost it 6 s */
#define SP_WAYS_TRY_MS (60 * 1000)	/* meanwhile one datagram is tried so often, which costs 0.2 s if it is in vain */
#define SP_RATES_MAX 8192		/* buckets: 400 kB */
#define SP_LETTER_TURN 64		/* letters taken from a socket before the loop's others have their turn */

/* framed TLS */
#define SP_FRAME_MAX (1024 * 1024)
#define SP_FRAME_INFLIGHT 8		/* requests open on one connection */
#define SP_SERVICE_IDLE_MS (30 * 1000)
#define SP_SERVICE_REQUEST_MS (10 * 1000)	/* then the next address, same id */
#define SP_SERVICE_QUEUE 4096		/* requests waiting for the database; then BUSY */
#define SP_SERVICE_CONNS 4096
#define SP_SERVICE_CONNS_PREFIX 1024	/* of which from one network (/32, IPv6 /64): many may sit behind one NAT */
#define SP_ENROL_RATE 1			/* wrong invitations of one network (/32, IPv6 /64) a second; four times in a wider one … */
#define SP_ENROL_BURST 64		/* … and so many at once: as many enrolments can be under way from there */
#define SP_TLS_EXTRAS 64		/* key updates and the like on one connection: honest ones make none in its life */
#define SP_SERVICE_LISTEN 4		/* addresses that a service listens on */
#define SP_FRAME_SLACK 1024		/* bytes beyond a message's row: room for odd tags of later versions */
#define SP_CLIENT_ADDRESSES 16		/* addresses of one role that a client knows */
#define SP_CLIENT_QUEUE 1024		/* requests open at one client */
#define SP_CLIENT_IDLE_MS (25 * 1000)	/* before the service's, so that no request meets a closing connection */
#define SP_CLIENT_AGAIN_MS 200		/* before an address that has just failed is tried again */

/* loop, names */
#define SP_LOOP_TURN 64			/* items taken from a queue before the loop's others have their turn */
#define SP_RESOLVE_MAX 8		/* addresses of one name */
#define SP_RESOLVE_QUEUE 256		/* names waiting to be looked up */
#define SP_RESOLVE_THREADS 2		/* so that one slow name does not hold up the others */

/* database */
#define SP_DB_BATCH 256
#define SP_DB_THREADS 2
#define SP_DB_QUEUE_BYTES (64u * 1024 * 1024)	/* parameters of waiting requests; then BUSY */
#define SP_DB_WAIT_MS (8 * 1000)	/* less than SP_SERVICE_REQUEST_MS: the asker hears why */
#define SP_DB_STATEMENT_MS (8 * 1000)	/* a statement without answer counts as a lost connection */
#define SP_DB_START_MS (30 * 1000)	/* a daemon waits so long for its database when it starts */

/* packets */
#define SP_ENTRIES_MAX 1000000
#define SP_MANIFEST_MAX (256u * 1024 * 1024)
#define SP_PATH_MAX 4096
#define SP_COMPONENT_MAX 255
#define SP_DEPTH_MAX 256
#define SP_TITLE_MAX 100
#define SP_ORGANISATION_MAX 100
#define SP_TARGET_MAX 4095		/* of a symlink: the most that symlink(2) takes */
#define SP_PACKET_MAX (1ull << 62)	/* sum of file sizes: with all headers it still fits off_t */
#define SP_PRINTS_TEXT_MAX (64u + 80u * SP_ENTRIES_MAX)		/* prints.txt */
#define SP_FILES_TEXT_MAX (SP_MANIFEST_MAX + 128u * SP_ENTRIES_MAX)	/* files.txt: as the manifest, with fingerprints */
#define SP_MESSAGE_MAX (64 * 1024)
#define SP_PRINT_WHOLE_MAX (64ull * 1024 * 1024)	/* up to here sha256:, above sha256-1m: */
#define SP_PRINT_BLOCK (1024 * 1024)
#define SP_SOURCE_FOLDERS 256		/* folders that PATHs of one packet lie in: a descriptor each */
#define SP_NOTES_LINES 100		/* of a packet's notes; then how many more */
#define SP_GOAL_NUMBERS 100000		/* "title (2)" and so on below one sender */
#define SP_HOLE_BLOCK 4096		/* zeroes of this size and alignment become a hole again */

/* data channel */
#define SP_RECORD_DATA_MIN 2048		/* the smallest chunk that a setting may ask for */
#define SP_RECORD_DATA (64 * 1024)	/* bytes of frame in one record */
#define SP_RECORD_MAX (SP_RECORD_DATA + 64)
#define SP_SEND_BATCH (256 * 1024)	/* records sealed into one send buffer: fits the L2 cache */
#define SP_PRESS_TAR (256 * 1024)	/* bytes of tar in a compressed frame: a turn; four times that saves 3 % more */
#define SP_PRESS_MAX (1024 * 1024)	/* that a recipient takes in one: held for each transfer at most */
#define SP_PRESS_WINDOW (8 * 1024 * 1024)	/* the most that every zstd program is to have room for */
#define SP_PRESS_WORTH 16		/* a frame must save one byte in so many */
#define SP_PRESS_RARELY (4 * 1024 * 1024)	/* in content that does not compress, it is tried once in so much */
#define SP_TURN_TAR (512 * 1024)	/* bytes of tar after which the next transfer has its turn, however small they came */
#define SP_PACE_TURNS 32		/* turns a second at a limited rate, at least: so nobody who shares it rests for long */
#define SP_PACE_SAVED_NS 100000000ull	/* a bucket that was not used gives at once what it would have given in so long */
#define SP_PACE_MIN 1024		/* bytes a second: less would look like a dead connection */
#define SP_RESERVE (256ull * 1024 * 1024)	/* stays free on the disk, for everything else on the machine */
#define SP_ROOM_BYTES (4 * 1024 * 1024)	/* received between two looks at what is free */
#define SP_FDS_TRANSFER 12		/* descriptors of one transfer: socket, file, folders, journal, and for syncs twice */
#define SP_FDS_OWN 400			/* of all else: letters by TCP, control, database, data connections not proved yet */
#define SP_DATA_PORT_FIRST 21000	/* outside Linux's ephemeral range */
#define SP_DATA_PORT_LAST 21999
#define SP_DATA_PORTS_OPEN 16
#define SP_DATA_IDLE_MS (60 * 1000)
#define SP_DATA_HEARTBEAT_MS (10 * 1000)
#define SP_DATA_OPEN_MS (30 * 1000)	/* open data port without a connection */
#define SP_DATA_THREADS 8
#define SP_DATA_TRANSFERS 1024		/* at once in one peer; beyond: WAIT */
#define SP_DATA_HALF_OPEN 64		/* data connections of one thread that have not proved themselves yet */
#define SP_DATA_HALF_OPEN_PREFIX 16	/* of which from one network (/32, IPv6 /64) */
#define SP_DATA_HANDSHAKE_MS (10 * 1000)	/* from the connection to the checked OPEN */
#define SP_DATA_PARK_MS 1000		/* a connection that comes before its transfer waits for it */
#define SP_DATA_LINGER_MS (2 * 1000)	/* so long is read and dropped after an ABORT, that it may arrive before a reset */
#define SP_DATA_PROGRESS_MS 100
#define SP_DATA_WALKS 64		/* walks waiting */
#define SP_DATA_WALKERS 2		/* so that a large tree does not hold up a small one */
#define SP_DATA_UNSENT (512 * 1024)	/* bytes ahead of what TCP has sent: with a batch less than 1 MiB */
#define SP_RANGES_MAX 16
#define SP_SEEN_BYTES (8 * 1024 * 1024)	/* of the tar between two marks in a digest journal: what a killed process repeats */
#define SP_CHECKPOINT_BYTES (128ull * 1024 * 1024)	/* received, then synced: so the next half of SP_DIRTY_MAX comes meanwhile */
#define SP_CHECKPOINT_MS 1000		/* or after so long: what a power failure repeats */
#define SP_DIRTY_MAX (256ull * 1024 * 1024)	/* received and not synced yet; then the socket rests */
#define SP_RESUME_BUFFER (64 * 1024)	/* before the point of a break: may be damaged, and is sent again */
#define SP_RESUME_BUFFER_MAX (1024 * 1024 * 1024)
#define SP_BREAKS 20			/* of a delivery's connections without progress; then it is given up */
#define SP_BREAK_MOST_MS (60 * 1000)	/* between two of them: waits double up to this */
#define SP_ATTEMPTS 3			/* connection attempts of a send (the seed's three) */
#define SP_ATTEMPT_MIN_MS 1000
#define SP_ATTEMPT_MAX_MS 5000
#define SP_EVENT_LIFE_MS (72ull * 3600 * 1000)
#define SP_WAIT_FIRST_MS (60 * 1000)	/* a WAIT that does not say how long; doubled each time */
#define SP_WAIT_MOST_MS (3600 * 1000)
#define SP_WAIT_HEARD_MS (10 * 1000)	/* who was told to wait offers no sooner again: two that wait must not wake each other */
#define SP_PINGS_OUT 256		/* of a start, at once: the rest of the letters' room is for others */
#define SP_PING_EACH_MS 1		/* a start says so to 1,000 stations a second */
#define SP_OFFER_NAMES 60		/* bytes of the certds, and of the creditds, that an offer names */
#define SP_FRANK_SHEETS 64		/* sheets of others, kept so that they need not be asked for with each frank */
#define SP_FRANK_WAIT_MS (10 * 1000)	/* then refused as unpaid */

/* a peer's own */
#define SP_STORE_QUEUE 4096
#define SP_STORE_ROWS 1000		/* most rows of one listing */
#define SP_CONTROL_BODY_MAX (1024 * 1024)
#define SP_CONTROL_CONNS 64		/* connections to the control socket, long polls included */
#define SP_CONTROL_IDLE_S 30

/* credits */
#define SP_ACCOUNT_MAX 40		/* bytes of an account number or card reference */
#define SP_SHEET_SERIALS 1024
#define SP_FRANK_RANGES 8
#define SP_TARIFF_STEPS 8
#define SP_BALANCE_MAX 100
#define SP_FRANK_LIFE_MS (72ull * 3600 * 1000)

/* receipts */
#define SP_POSTMARK_LIFE_MS (90ull * 24 * 3600 * 1000)	/* for handing in; a service is back by then, or gone for good */
#define SP_RECEIPT_TEXT_MAX 1024
#define SP_RECEIPT_P7M_MAX 4096
#define SP_POSTMARK_TEXT_MAX 1024
#define SP_FILES_PART (64 * 1024)

/* ports */
#define SP_PORT_COMMAND 7325
#define SP_PORT_CREDITD 7676
#define SP_PORT_CERTD 7677
#define SP_PORT_KEYD 7678

/* identity */
#define SP_CERT_DAYS 90
#define SP_CERT_SKEW_S 3600		/* a certificate begins so much earlier: clocks differ */
#define SP_CERT_AFTER_DAYS 400		/* an ended certificate's receipts are still postmarked */
#define SP_TRUST_CERTS_MAX 16		/* roots and issuing certificates of one domain */
#define SP_INVITE_DAYS 7
#define SP_SHUTDOWN_MS (10 * 1000)
#define SP_CLOCK_AGREE_MS (3600 * 1000)	/* clocks that differ by less agree */
#define SP_CLOCK_MISTAKE_MS (24ull * 3600 * 1000)	/* a mark so far ahead of clocks that agree was a mistake */
#define SP_CLOCK_KEEP_MS (60 * 1000)	/* a mark that rose by so much is written down: a crash loses no more */
#define SP_LOG_BURST 20			/* lines a minute about what strangers do, for each kind */

#endif
