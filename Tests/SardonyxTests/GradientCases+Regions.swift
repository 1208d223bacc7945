import SardonyxTestSupport

/// Samples of regions and at computed places, transforms, and what else the standard has for signals.
extension GradientCases {
    /// Regions around given ones, which are inputs too.
    private static func align(
        _ attributes: [(String, TestAttribute)], _ boxes: [Double], isTwice: Bool = true, _ title: String
    ) -> Case {
        let count = Int64(boxes.count / 4)
        return Case(
            title: "RoiAlign, \(title)",
            nodes: [
                TestNode("Add", ["boxes", "a"], ["rois"]),
                TestNode(
                    "RoiAlign", ["x", "rois", "images"], ["y"],
                    [("output_height", .int(2)), ("output_width", .int(3))] + attributes),
            ],
            inputs: [
                .init(name: "x", shape: [2, 2, 5, 6], range: -1...1),
                .init(name: "a", shape: [Int(count), 4], range: -0.03...0.03),
            ],
            initializers: [
                TestTensor("boxes", dims: [count, 4], doubles: boxes),
                TestTensor("images", integers: (0..<count).map { $0 % 2 }),
            ], isTwice: isTwice)
    }

    static let regions: [Case] = [
        align([("sampling_ratio", .int(2))], [0.3, 0.4, 3.2, 3.6, 1.1, 0.2, 4.9, 4.3], "two points a cell"),
        align(
            [("spatial_scale", .float(0.5))], [0.3, 0.4, 9.2, 7.6, 1.1, 0.2, 3.9, 4.3, -3, -4, 14, 13],
            "as many points as pixels, and outside"),
        align(
            [("coordinate_transformation_mode", .text("output_half_pixel"))], [0.3, 0.4, 3.5, 3.7, 2.2, 1.7, 2.7, 1.9],
            "no shift, and a region below a pixel"),
        align(
            [("mode", .text("max")), ("sampling_ratio", .int(2))], [0.3, 0.4, 3.2, 3.6, 3.1, 2.2, 7.9, 6.3], "maxima"),
        align([("mode", .text("max"))], [0.3, 0.4, 5.2, 4.6, 1.1, 0.2, 3.3, 2.7], "maxima of as many as pixels"),
        Case(
            title: "MaxRoiPool",
            nodes: [
                TestNode(
                    "MaxRoiPool", ["x", "rois"], ["y"],
                    [("pooled_shape", .ints([2, 3])), ("spatial_scale", .float(0.5))])
            ],
            inputs: [.init(name: "x", shape: [2, 2, 4, 5], range: -1...1)],
            initializers: [
                TestTensor(
                    "rois", dims: [3, 5], doubles: [0, 0, 0, 6, 7, 1, 1, 1, 11, 9, 0, 20, 20, 24, 24])
            ]),
        row(
            "DeformConv", [[1, 4, 4, 5], [4, 2, 2, 2], [1, 16, 3, 3], [4], [1, 8, 3, 3]], -1.3...1.3,
            [
                ("group", .int(2)), ("offset_group", .int(2)), ("strides", .ints([1, 2])),
                ("dilations", .ints([2, 1])),
                ("pads", .ints([1, 0, 0, 1])),
            ], title: "groups, strides, dilations, a mask"),
        row("DeformConv", [[2, 2, 5], [3, 2, 2], [2, 2, 4]], -1.3...1.3, title: "one axis, no bias"),
        row("DeformConv", [[1, 1, 2, 3, 2], [1, 1, 1, 2, 1], [1, 6, 2, 2, 2]], -0.9...0.9, title: "a volume"),
        row("AffineGrid", [[2, 2, 3]], constants: ints(("size", [2, 1, 3, 2]))),
        row(
            "AffineGrid", [[1, 3, 4]], -2...2, [("align_corners", .int(1))],
            constants: ints(("size", [1, 1, 2, 3, 2])),
            title: "volumes, corners aligned"),
        row(
            "Col2Im", [[1, 8, 9]], -2...2,
            [("strides", .ints([1, 2])), ("dilations", .ints([2, 1])), ("pads", .ints([1, 0, 0, 1]))],
            constants: ints(("image", [4, 5]), ("block", [2, 2]))),
        Case(
            title: "MaxUnpool, an output shape",
            nodes: [
                TestNode(
                    "MaxUnpool", ["x", "places", "shape"], ["y"],
                    [("kernel_shape", .ints([2, 2])), ("strides", .ints([2, 2]))])
            ],
            inputs: [.init(name: "x", shape: [1, 1, 2, 2], range: -1...1)],
            initializers: [
                TestTensor(
                    "places", dims: [1, 1, 2, 2], type: 7,
                    raw: [5, 7, 13, 15].flatMap { [$0] + [UInt8](repeating: 0, count: 7) }),
                TestTensor("shape", integers: [1, 1, 5, 5]),
            ]),
    ]

    private static func transform(
        _ shape: [Int], _ attributes: [(String, TestAttribute)] = [], length: UInt8? = nil, axis: UInt8 = 1,
        _ title: String
    ) -> Case {
        Case(
            title: "DFT, \(title)",
            nodes: [TestNode("DFT", ["x", length == nil ? "" : "length", "axis"], ["y"], attributes)],
            inputs: [.init(name: "x", shape: shape, range: -1...1)],
            initializers: [scalar("length", length ?? 0), scalar("axis", axis)])
    }

    static let signals: [Case] = [
        row("Det", [[3, 3]]), row("Det", [[2, 4, 4]], title: "several"), row("Det", [[2, 1, 1]], title: "numbers"),
        row("Det", [[2, 2]], 0...0, title: "singular"),
        Case(
            title: "Det, of rank one",
            nodes: [TestNode("Mul", ["x", "a"], ["m"]), TestNode("Det", ["m"], ["y"])],
            inputs: [.init(name: "x", shape: [2, 1], range: -1...1), .init(name: "a", shape: [2], range: -1...1)]),
        transform([2, 5, 1], [], "a real signal"), transform([2, 4, 2], [], "a complex one"),
        transform([3, 2, 2], [("inverse", .int(1))], axis: 0, "back"),
        transform([2, 5, 2], [], length: 4, "cut"),
        transform([1, 3, 1], [("inverse", .int(1))], length: 5, "filled up"),
        transform([2, 5, 1], [("onesided", .int(1))], "one-sided"),
        transform([1, 6, 1], [("onesided", .int(1))], length: 4, "one-sided and cut"),
        transform([1, 4, 1], [("onesided", .int(1))], length: 7, "one-sided and filled up"),
        transform([2, 3, 2], [("onesided", .int(1)), ("inverse", .int(1))], "to a real signal"),
        transform(
            [2, 3, 2], [("onesided", .int(1)), ("inverse", .int(1))], length: 5, "to a real signal of odd length"),
        transform([1, 2, 2], [("onesided", .int(1)), ("inverse", .int(1))], length: 7, "to a longer one"),
        transform([1, 5, 1], [("onesided", .int(1)), ("inverse", .int(1))], length: 4, "to a shorter one"),
        Case(
            title: "STFT", nodes: [TestNode("STFT", ["x", "step", "a"], ["y"])],
            inputs: [.init(name: "x", shape: [2, 9, 1], range: -1...1), .init(name: "a", shape: [4], range: -1...1)],
            initializers: [scalar("step", 2)]),
        Case(
            title: "STFT, complex, no window",
            nodes: [TestNode("STFT", ["x", "step", "", "length"], ["y"], [("onesided", .int(0))])],
            inputs: [.init(name: "x", shape: [1, 7, 2], range: -1...1)],
            initializers: [scalar("step", 3), scalar("length", 3)]),
        Case(
            title: "STFT, a signal of two axes", nodes: [TestNode("STFT", ["x", "step", "a", "length"], ["y"])],
            inputs: [.init(name: "x", shape: [1, 7], range: -1...1), .init(name: "a", shape: [5], range: -1...1)],
            initializers: [scalar("step", 1), scalar("length", 5)]),
    ]

    private static func scattering(
        _ reduction: String, _ type: String, updates: ClosedRange<Double> = -1...1, isTwice: Bool = true,
        _ title: String = ""
    ) -> Case {
        let indices =
            type == "ScatterND"
            ? matrix("indices", [2, 2, 0], rows: 3) : matrix("indices", [0, 1, 0, 2, 2, 0], rows: 3)
        return Case(
            title: "\(type), \(reduction)\(title)",
            nodes: [TestNode(type, ["x", "indices", "a"], ["y"], [("reduction", .text(reduction))])],
            inputs: [
                .init(name: "x", shape: [3, 2], range: -1...1), .init(name: "a", shape: [3, 2], range: updates),
            ], initializers: [indices], isTwice: isTwice)
    }

    static let scattering: [Case] =
        ["mul", "max", "min"].flatMap { [scattering($0, "ScatterElements"), scattering($0, "ScatterND")] } + [
            scattering("mul", "ScatterElements", updates: 0...0, isTwice: false, ", by 0"),
            row("TensorScatter", [[2, 4, 2], [2, 2, 2]], constants: ints(("places", [1, 2]))),
            row(
                "TensorScatter", [[2, 3, 2], [2, 2, 2]], -2...2, [("mode", .text("circular")), ("axis", .int(1))],
                constants: ints(("places", [2, 0])), title: "around the end"),
            row("Unique", [[5]]),
            row("Unique", [[2, 3]], -2...2, [("axis", .int(1)), ("sorted", .int(0))], title: "rows"),
            Case(
                title: "OneHot", nodes: [TestNode("OneHot", ["places", "depth", "x"], ["y"], [("axis", .int(0))])],
                inputs: [.init(name: "x", shape: [2], range: -1...1)],
                initializers: ints(("places", [0, 2, -1, 7])) + [scalar("depth", 4)]),
            Case(
                title: "Range", nodes: [TestNode("Range", ["x", "limit", "a"], ["y"])],
                inputs: [.init(name: "x", shape: [], range: 0.1...0.2), .init(name: "a", shape: [], range: 0.95...1)],
                initializers: [double("limit", 3.4)]),
        ]
}
