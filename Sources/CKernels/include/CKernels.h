#ifndef CKERNELS_H
#define CKERNELS_H
/// The C kernels of Sardonyx. Every kernel's contract stands at its declaration.
#include "sdx_isa.h"
#include "sdx_memory.h"
#include "sdx_peak.h"
#include "sdx_pool.h"
#include "sdx_activation.h"
#include "sdx_gemm.h"
#include "sdx_attention.h"
#include "sdx_conv.h"
#include "sdx_winograd.h"
#include "sdx_winograd_rows.h"
#include "sdx_conv_choice.h"
#include "sdx_elementwise.h"
#include "sdx_normalization.h"
#include "sdx_pooling.h"
#include "sdx_reduction.h"
#include "sdx_resize.h"
#endif
