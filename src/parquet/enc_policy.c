/*
 * Which encoding and codec a column chunk gets.
 */
#include "parquet/enc_internal.h"

enum armi_status enc_policy_choose(struct enc_column *c)
{
    c->encoding = ARMI_PQ_PLAIN;
    c->fallback = ARMI_PQ_PLAIN;
    c->codec = c->settings->codec;
    c->codec_state = c->codec.id == ARMI_CODEC_NONE ? ENC_CODEC_OFF : ENC_CODEC_TRYING;
    return ARMI_OK;
}
