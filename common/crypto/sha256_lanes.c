/*
 * sha256_lanes.c - two messages with Intel's SHA extensions, or sixteen in the lanes of AVX-512's registers; OpenSSL, one after
 * the other, on every other processor and for what is left over.
 */
#include "common/crypto/sha256_lanes.h"

#include <stdatomic.h>
#include <string.h>

#include "common/crypto/hash.h"

#define BLOCK 64
#define WIDE SP_SHA256_LANES_MAX
#define WIDE_FROM 6		/* messages: for fewer, empty lanes cost more than they save */

static atomic_size_t lanes;	/* 0 = the processor was not asked yet */

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define PAIR_CODE __attribute__((target("sha,sse4.1")))
#define WIDE_CODE __attribute__((target("avx512f,avx512bw")))

static const uint32_t FIRST[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
	0x5be0cd19 };

static const uint32_t K[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2 };

/* What follows the whole blocks of a message: its rest, a one, zeroes and its length in bits. Returns how many blocks. */
static size_t
pad(const uint8_t *message, size_t length, uint8_t out[2 * BLOCK])
{
	size_t rest = length % BLOCK, blocks = rest < BLOCK - 8 ? 1 : 2;

	memset(out, 0, 2 * BLOCK);
	memcpy(out, message + (length - rest), rest);
	out[rest] = 0x80;
	for (size_t i = 0; i < 8; i++)
		out[blocks * BLOCK - 1 - i] = (uint8_t)((uint64_t)length * 8 >> 8 * i);
	return blocks;
}

static void
put_word(struct sp_hash *out, size_t i, uint32_t word)
{
	for (size_t j = 0; j < 4; j++)
		out->b[4 * i + j] = (uint8_t)(word >> (24 - 8 * j));
}

/* ---- two, with instructions made for it ---- */

/* State in the order that the instructions want, and the last 16 words of the schedule. */
struct lane {
	__m128i abef, cdgh, w[4];
};

/* i: which four of the sixteen. */
PAIR_CODE static inline void
four_rounds(struct lane *l, const uint8_t *bytes, unsigned i)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i *w = &l->w[i % 4], sum;

	if (i < 4)
		*w = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bytes + 16 * i)), big_endian);
	else
		*w = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(*w, l->w[(i + 1) % 4]),
		    _mm_alignr_epi8(l->w[(i + 3) % 4], l->w[(i + 2) % 4], 4)), l->w[(i + 3) % 4]);
	sum = _mm_add_epi32(*w, _mm_loadu_si128((const __m128i *)&K[4 * i]));
	l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, sum);
	l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

PAIR_CODE static void
pair_blocks(struct lane *a, const uint8_t *bytes_a, struct lane *b, const uint8_t *bytes_b, size_t blocks)
{
	struct lane x = *a, y = *b;

	for (; blocks > 0; blocks--, bytes_a += BLOCK, bytes_b += BLOCK) {
		__m128i abef_x = x.abef, cdgh_x = x.cdgh, abef_y = y.abef, cdgh_y = y.cdgh;

#pragma GCC unroll 16
		for (unsigned i = 0; i < 16; i++) {
			four_rounds(&x, bytes_a, i);
			four_rounds(&y, bytes_b, i);
		}
		x.abef = _mm_add_epi32(x.abef, abef_x);
		x.cdgh = _mm_add_epi32(x.cdgh, cdgh_x);
		y.abef = _mm_add_epi32(y.abef, abef_y);
		y.cdgh = _mm_add_epi32(y.cdgh, cdgh_y);
	}
	*a = x;
	*b = y;
}

PAIR_CODE static void
pair_out(const struct lane *l, struct sp_hash *out)
{
	uint32_t feba[4], hgdc[4];

	_mm_storeu_si128((__m128i *)feba, l->abef);
	_mm_storeu_si128((__m128i *)hgdc, l->cdgh);
	for (size_t i = 0; i < 2; i++) {
		put_word(out, i, feba[3 - i]);
		put_word(out, 2 + i, hgdc[3 - i]);
		put_word(out, 4 + i, feba[1 - i]);
		put_word(out, 6 + i, hgdc[1 - i]);
	}
}

PAIR_CODE static void
pair(const uint8_t *bytes, size_t length, struct sp_hash out[2])
{
	struct lane a = { .abef = _mm_set_epi32((int)FIRST[0], (int)FIRST[1], (int)FIRST[4], (int)FIRST[5]),
		.cdgh = _mm_set_epi32((int)FIRST[2], (int)FIRST[3], (int)FIRST[6], (int)FIRST[7]) }, b = a;
	uint8_t last_a[2 * BLOCK], last_b[2 * BLOCK];

	pair_blocks(&a, bytes, &b, bytes + length, length / BLOCK);
	pad(bytes, length, last_a);
	pair_blocks(&a, last_a, &b, last_b, pad(bytes + length, length, last_b));
	pair_out(&a, &out[0]);
	pair_out(&b, &out[1]);
}

/* ---- sixteen, a word of each in one register ---- */

/* From 16 rows of 16 words to their columns. */
WIDE_CODE static inline void
transpose(__m512i r[WIDE])
{
	__m512i t[WIDE];

	for (size_t i = 0; i < WIDE; i += 2) {
		t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
		t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
	}
	for (size_t i = 0; i < WIDE; i += 4)
		for (size_t j = 0; j < 2; j++) {
			r[i + 2 * j] = _mm512_unpacklo_epi64(t[i + j], t[i + j + 2]);
			r[i + 2 * j + 1] = _mm512_unpackhi_epi64(t[i + j], t[i + j + 2]);
		}
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < WIDE; j += 8) {
			t[j + i] = _mm512_shuffle_i32x4(r[j + i], r[j + i + 4], 0x88);
			t[j + i + 4] = _mm512_shuffle_i32x4(r[j + i], r[j + i + 4], 0xdd);
		}
	for (size_t i = 0; i < 8; i++) {
		r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
		r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
	}
}

#define ADD(a, b) _mm512_add_epi32(a, b)
#define XOR3(a, b, c) _mm512_ternarylogic_epi32(a, b, c, 0x96)
#define TURNED(x, a, b, c) XOR3(_mm512_ror_epi32(x, a), _mm512_ror_epi32(x, b), _mm512_ror_epi32(x, c))
#define SHIFTED(x, a, b, c) XOR3(_mm512_ror_epi32(x, a), _mm512_ror_epi32(x, b), _mm512_srli_epi32(x, c))
#define CHOICE(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xca)
#define MAJORITY(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xe8)

WIDE_CODE static void
wide_blocks(__m512i s[8], const uint8_t *const bytes[WIDE], size_t blocks)
{
	const __m512i big_endian = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
	__m512i w[WIDE], v[8];

	for (size_t block = 0; block < blocks; block++) {
		for (size_t i = 0; i < WIDE; i++)
			w[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(bytes[i] + block * BLOCK), big_endian);
		transpose(w);
		memcpy(v, s, sizeof(v));
		/* v[(7 - t) & 7] and on are h, a, b … of round t: the words keep their places and change their names */
#pragma GCC unroll 64
		for (unsigned t = 0; t < 64; t++) {
			__m512i *a = &v[(0 - t) & 7], *b = &v[(1 - t) & 7], *c = &v[(2 - t) & 7], *d = &v[(3 - t) & 7];
			__m512i *e = &v[(4 - t) & 7], *f = &v[(5 - t) & 7], *g = &v[(6 - t) & 7], *h = &v[(7 - t) & 7];
			__m512i *x = &w[t & 15], first;

			if (t >= 16)
				*x = ADD(ADD(*x, SHIFTED(w[(t + 1) & 15], 7, 18, 3)),
				    ADD(w[(t + 9) & 15], SHIFTED(w[(t + 14) & 15], 17, 19, 10)));
			first = ADD(ADD(ADD(*h, _mm512_set1_epi32((int)K[t])), *x),
			    ADD(TURNED(*e, 6, 11, 25), CHOICE(*e, *f, *g)));
			*d = ADD(*d, first);
			*h = ADD(first, ADD(TURNED(*a, 2, 13, 22), MAJORITY(*a, *b, *c)));
		}
		for (size_t i = 0; i < 8; i++)
			s[i] = ADD(s[i], v[i]);
	}
}

/* count messages, at most 16: the lanes beyond them do the first one's work again. */
WIDE_CODE static void
wide(const uint8_t *bytes, size_t length, size_t count, struct sp_hash *out)
{
	uint8_t last[WIDE][2 * BLOCK];
	const uint8_t *from[WIDE], *ends[WIDE];
	uint32_t words[WIDE];
	size_t blocks = 0;
	__m512i s[8];

	for (size_t i = 0; i < WIDE; i++) {
		from[i] = i < count ? bytes + i * length : bytes;
		blocks = pad(from[i], length, last[i]);
		ends[i] = last[i];
	}
	for (size_t i = 0; i < 8; i++)
		s[i] = _mm512_set1_epi32((int)FIRST[i]);
	wide_blocks(s, from, length / BLOCK);
	wide_blocks(s, ends, blocks);
	for (size_t i = 0; i < 8; i++) {
		_mm512_storeu_si512(words, s[i]);
		for (size_t j = 0; j < count; j++)
			put_word(&out[j], i, words[j]);
	}
}

/* The first ones of count, as far as several at once pay: how many that were. */
static size_t
several(size_t can, const uint8_t *bytes, size_t length, size_t count, struct sp_hash *out)
{
	if (can == WIDE ? count < WIDE_FROM : can < 2 || count < 2)
		return 0;
	if (can < WIDE) {
		pair(bytes, length, out);
		return 2;
	}
	count = count < WIDE ? count : WIDE;
	wide(bytes, length, count, out);
	return count;
}

static size_t
ask_processor(void)
{
	unsigned a, b, c, d;

	/* asks whether the system saves the wide registers, too */
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
		return WIDE;
	if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_SSE4_1) == 0)
		return 1;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) != 0 ? 2 : 1;
}

#else

#define several(can, bytes, length, count, out) ((void)(can), (size_t)0)

static size_t
ask_processor(void)
{
	return 1;
}

#endif

size_t
sp_sha256_lanes(void)
{
	size_t n = atomic_load(&lanes);

	if (n == 0)
		atomic_store(&lanes, n = ask_processor());
	return n;
}

void
sp_sha256_lanes_limit(size_t most)
{
	size_t can = ask_processor();

	atomic_store(&lanes, most == 0 || most > can ? can : most);
}

void
sp_sha256_each(const uint8_t *bytes, size_t length, size_t count, struct sp_hash *out)
{
	size_t can = sp_sha256_lanes(), n;

	for (; count > 0; count -= n, bytes += n * length, out += n) {
		if ((n = several(can, bytes, length, count, out)) > 0)
			continue;
		sp_sha256(sp_span(bytes, length), out);
		n = 1;
	}
}
