/// What the algorithms' steps cost, by instruction set: see sdx_conv_costs. Those of AVX2 and AVX-512 were measured by
/// `Tools/bench --calibrate` on a quiet server CPU. The others are AVX2's, arithmetic on vectors of half the width taking
/// twice the time (2.2 times without fused multiply-adds), and weights that come from memory at 20 GB/s, as devices have it.
[SDX_ISA_BASELINE] = {
    .multiply_add = 0.0308, .tile = 1.35, .alone_8 = 1.22, .panel_8 = 1.29, .alone_16 = 1.02, .panel_16 = 1.14,
    .panel_24 = 1.3, .copy = 0.175, .copy_plain = 2, .result = 0.0977, .result_plain = 7.62, .weight = 0.051,
    .far_weight = 0.0237, .start = 500, .product = 0.0144, .product_tile = 3.75, .product_least = 9.49,
    .product_half = 1.47, .transform_in = 0.337, .transform_deep = 0.153, .transform_out = 0.374, .shared = 0.0175,
    .far_shared = 0.145, .read = 0.000126, .far_read = 0.0149, .wino_weight = 0.0457, .wino_start = 300,
    .plain_multiply_add = 0.033, .plain_tile = 1.25, .gather = 0.203, .gather_short = 0.738, .gather_strided = 3.23,
    .plain_result = 0.396, .plain_weight = 0.137, .plain_start = 1e+03, .reorder = 0.15,
},
[SDX_ISA_AVX2] = {
    .multiply_add = 0.014, .tile = 1.35, .alone_8 = 1.22, .panel_8 = 1.29, .alone_16 = 1.02, .panel_16 = 1.14,
    .panel_24 = 1.3, .copy = 0.175, .copy_plain = 2, .result = 0.0444, .result_plain = 7.62, .weight = 0.0122,
    .far_weight = 0.025, .start = 500, .product = 0.00655, .product_tile = 3.75, .product_least = 9.49,
    .product_half = 1.47, .transform_in = 0.153, .transform_deep = 0.153, .transform_out = 0.17, .shared = 0.0175,
    .far_shared = 0.00876, .read = 0.000126, .far_read = 0.00108, .wino_weight = 0.0145, .wino_start = 300,
    .plain_multiply_add = 0.015, .plain_tile = 1.25, .gather = 0.203, .gather_short = 0.738, .gather_strided = 3.23,
    .plain_result = 0.18, .plain_weight = 0.109, .plain_start = 1e+03, .reorder = 0.15,
},
[SDX_ISA_AVX512] = {
    .multiply_add = 0.00828, .tile = 0.269, .alone_8 = 1.21, .panel_8 = 2.35, .alone_16 = 0.973, .panel_16 = 1.22,
    .panel_24 = 1.37, .copy = 0.123, .copy_plain = 3.76, .result = 0.0588, .result_plain = 9.2, .weight = 0.0199,
    .far_weight = 0.0246, .start = 500, .product = 0.00538, .product_tile = 4.56, .product_least = 1.9,
    .product_half = 1.23, .transform_in = 0.0811, .transform_deep = 0.385, .transform_out = 0.114, .shared = 0.00721,
    .far_shared = 0.0102, .read = 0.00935, .far_read = 0.00444, .wino_weight = 0.0122, .wino_start = 300,
    .plain_multiply_add = 0.009, .plain_tile = 0.994, .gather = 0.131, .gather_short = 0.386, .gather_strided = 3.12,
    .plain_result = 0.133, .plain_weight = 0.027, .plain_start = 1e+03, .reorder = 0.15,
},
[SDX_ISA_NEON] = {
    .multiply_add = 0.028, .tile = 1.35, .alone_8 = 1.22, .panel_8 = 1.29, .alone_16 = 1.02, .panel_16 = 1.14,
    .panel_24 = 1.3, .copy = 0.175, .copy_plain = 2, .result = 0.0888, .result_plain = 7.62, .weight = 0.051,
    .far_weight = 0.0237, .start = 500, .product = 0.0131, .product_tile = 3.75, .product_least = 9.49,
    .product_half = 1.47, .transform_in = 0.306, .transform_deep = 0.153, .transform_out = 0.34, .shared = 0.0175,
    .far_shared = 0.145, .read = 0.000126, .far_read = 0.0149, .wino_weight = 0.0457, .wino_start = 300,
    .plain_multiply_add = 0.03, .plain_tile = 1.25, .gather = 0.203, .gather_short = 0.738, .gather_strided = 3.23,
    .plain_result = 0.36, .plain_weight = 0.137, .plain_start = 1e+03, .reorder = 0.15,
},
