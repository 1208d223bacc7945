/// What the algorithms' steps cost, by instruction set: see sdx_conv_costs. Those of AVX2 and AVX-512 were measured by
/// `Tools/bench --calibrate` on a server CPU, AVX-512's copies in a second fit; the others are AVX2's, arithmetic on vectors
/// of half the width taking twice the time.
[SDX_ISA_BASELINE] = {
    .multiply_add = 0.0315, .tile = 1.46, .alone_8 = 1.24, .panel_8 = 1.16, .alone_16 = 1.02, .panel_16 = 1.14,
    .panel_24 = 1.3, .copy = 0.159, .copy_plain = 4.22, .result = 0.144, .result_plain = 8.46, .weight = 0.051,
    .far_weight = 0.0237, .start = 500, .product = 0.0147, .product_tile = 2.41, .product_least = 9.17,
    .product_half = 1.62, .transform_in = 0.616, .transform_deep = 0.3, .transform_out = 0.453, .shared = 0.00657,
    .far_shared = 0.145, .read = 0.000166, .far_read = 0.0149, .wino_weight = 0.0457, .wino_start = 300,
    .plain_multiply_add = 0.0359, .plain_tile = 1.15, .gather = 0.22, .gather_short = 0.78, .gather_strided = 3.55,
    .plain_result = 0.292, .plain_weight = 0.137, .plain_start = 1e+03, .reorder = 0.15,
},
[SDX_ISA_AVX2] = {
    .multiply_add = 0.0143, .tile = 1.46, .alone_8 = 1.24, .panel_8 = 1.16, .alone_16 = 1.02, .panel_16 = 1.14,
    .panel_24 = 1.3, .copy = 0.159, .copy_plain = 4.22, .result = 0.0653, .result_plain = 8.46, .weight = 0.051,
    .far_weight = 0.0237, .start = 500, .product = 0.0067, .product_tile = 2.41, .product_least = 9.17,
    .product_half = 1.62, .transform_in = 0.28, .transform_deep = 0.3, .transform_out = 0.206, .shared = 0.00657,
    .far_shared = 0.145, .read = 0.000166, .far_read = 0.0149, .wino_weight = 0.0457, .wino_start = 300,
    .plain_multiply_add = 0.0163, .plain_tile = 1.15, .gather = 0.22, .gather_short = 0.78, .gather_strided = 3.55,
    .plain_result = 0.292, .plain_weight = 0.137, .plain_start = 1e+03, .reorder = 0.15,
},
[SDX_ISA_AVX512] = {
    .multiply_add = 0.00988, .tile = 1.52, .alone_8 = 1.48, .panel_8 = 1.78, .alone_16 = 0.994, .panel_16 = 1.39,
    .panel_24 = 1.26, .copy = 0.217, .copy_plain = 2.87, .result = 0.106, .result_plain = 8.4, .weight = 0.0635,
    .far_weight = 0.0328, .start = 500, .product = 0.00744, .product_tile = 1.07, .product_least = 2.01,
    .product_half = 1.39, .transform_in = 0.134, .transform_deep = 0.759, .transform_out = 0.18, .shared = 0.0224,
    .far_shared = 0.132, .read = 0.0102, .far_read = 0.0155, .wino_weight = 0.0506, .wino_start = 300,
    .plain_multiply_add = 0.0126, .plain_tile = 1.53, .gather = 0.175, .gather_short = 0.413, .gather_strided = 2.37,
    .plain_result = 0.254, .plain_weight = 0.0655, .plain_start = 1e+03, .reorder = 0.15,
},
[SDX_ISA_NEON] = {
    .multiply_add = 0.0286, .tile = 1.46, .alone_8 = 1.24, .panel_8 = 1.16, .alone_16 = 1.02, .panel_16 = 1.14,
    .panel_24 = 1.3, .copy = 0.159, .copy_plain = 4.22, .result = 0.131, .result_plain = 8.46, .weight = 0.051,
    .far_weight = 0.0237, .start = 500, .product = 0.0134, .product_tile = 2.41, .product_least = 9.17,
    .product_half = 1.62, .transform_in = 0.56, .transform_deep = 0.3, .transform_out = 0.412, .shared = 0.00657,
    .far_shared = 0.145, .read = 0.000166, .far_read = 0.0149, .wino_weight = 0.0457, .wino_start = 300,
    .plain_multiply_add = 0.0326, .plain_tile = 1.15, .gather = 0.22, .gather_short = 0.78, .gather_strided = 3.55,
    .plain_result = 0.292, .plain_weight = 0.137, .plain_start = 1e+03, .reorder = 0.15,
},
