/*
 * A kernel of LANES lanes, written once for every vector type; included by a kernel's file, which has
 * defined for the vector type V:
 *
 *   LANES, LANES_FUNCTION   how many, and the name of the function made here
 *   SET1(x)                 x in every lane
 *   LOAD_BLOCKS(inputs, offset, m)   word w of the block at `offset` in each input becomes m[w]
 *   STORE_VALUES(h, out)    32 bytes a lane
 *   ADD, ADD_MESSAGE, XOR, ROTATE(a, n)   statements that change the vector a
 *
 * Undefines them all, so that a file may make several.
 */

#define R_ADD(a, b)         ADD(v[a], v[b]);
#define R_ADD_C(a, b)       ADD(v[a], v[b]);
#define R_ADD_MESSAGE(a, w) ADD_MESSAGE(v[a], m[w]);
#define R_XOR(a, b)         XOR(v[a], v[b]);
#define R_ROTATE(a, n)      ROTATE(v[a], n);

/* Inputs from `at` on, LANES of them or what is left. */
static void LANES_FUNCTION(const struct armi_blake3_lanes *job, size_t at, uint8_t *out)
{
    static const uint32_t iv[8] = BLAKE3_IV;
    const uint8_t *inputs[LANES];
    size_t left = job->count - at < LANES ? job->count - at : LANES;
    V h[8], counter_low, counter_high, last_size = SET1(64), m[16];
    for (size_t i = 0; i < LANES; i++) /* idle lanes repeat the last input */
        inputs[i] = job->inputs[at + (i < left ? i : left - 1)];
    if (job->counts) {
        uint32_t low[LANES], high[LANES];
        armi_blake3_lanes_counters(job, at, LANES, low, high);
        memcpy(&counter_low, low, sizeof low);
        memcpy(&counter_high, high, sizeof high);
    } else {
        counter_low = SET1((uint32_t)job->counter);
        counter_high = SET1((uint32_t)(job->counter >> 32));
    }
    if (job->last_sizes != NULL) {
        uint32_t sizes[LANES];
        armi_blake3_lanes_sizes(job, at, LANES, sizes);
        memcpy(&last_size, sizes, sizeof sizes);
    }
    for (int i = 0; i < 8; i++)
        h[i] = SET1(job->key[i]);
    LOAD_BLOCKS(inputs, 0, m);
    for (size_t b = 0; b < job->blocks; b++) {
        V v[16], next[16];
        for (int i = 0; i < 8; i++)
            v[i] = h[i];
        for (int i = 0; i < 4; i++)
            v[8 + i] = SET1(iv[i]);
        v[12] = counter_low, v[13] = counter_high;
        v[14] = b + 1 == job->blocks ? last_size : SET1(64);
        v[15] = SET1(armi_blake3_lanes_flags(job, b));
        BLAKE3_ROUNDS_0_TO_3(R_ROUND)
        /* The rounds are one chain of dependences; the next block's transposition fits beside it. */
        LOAD_BLOCKS(inputs, b + 1 < job->blocks ? 64 * (b + 1) : 0, next);
        BLAKE3_ROUNDS_4_TO_6(R_ROUND)
        for (int i = 0; i < 8; i++) {
            h[i] = v[i];
            XOR(h[i], v[8 + i]);
        }
        for (int i = 0; i < 16; i++)
            m[i] = next[i];
    }
    if (left == LANES) {
        STORE_VALUES(h, out);
    } else {
        uint8_t all[32 * LANES];
        STORE_VALUES(h, all);
        memcpy(out, all, 32 * left);
    }
}

#undef LANES
#undef LANES_FUNCTION
#undef SET1
#undef LOAD_BLOCKS
#undef STORE_VALUES
#undef ADD
#undef ADD_MESSAGE
#undef XOR
#undef ROTATE
#undef V
#undef R_ADD
#undef R_ADD_C
#undef R_ADD_MESSAGE
#undef R_XOR
#undef R_ROTATE
