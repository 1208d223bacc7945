import SardonyxGraph

/// The extents of a sliding window in a derivative, as int64 vectors of the spatial axes: a run may be the first to know them.
///
/// Output o covers inputs o · stride + t · dilation − pad; from the first window's first tap to the last one's last tap that is
/// a *reach* of (outputs − 1) · stride + (kernel − 1) · dilation + 1.
struct WindowTerms {
    /// Strides, dilations and padding; not the kernel.
    var attributes: WindowAttributes
    /// The kernel's extents.
    let kernel: Term
    /// What a transposed convolution adds to its reach.
    var outputPadding: [Int] = []
    /// Whether the padding follows from the extents though `auto_pad` does not say so.
    var hasGivenShape = false

    var rank: Int { attributes.strides.count }

    /// From a tensor of the windows' side.
    private func reach(of outputs: Term) throws -> Term {
        let one = kernel.integers([1])
        let steps = try (outputs.extents(2..<2 + rank) - one) * kernel.integers(attributes.strides)
        return try steps + (kernel - one) * kernel.integers(attributes.dilations) + one
    }

    /// For `Pad`: what makes a tensor of the windows' inputs as long as their reach, batch and channels apart. Elements that no
    /// window covers are taken away.
    func pads(_ inputs: Term, outputs: Term) throws -> Term {
        let missing = try reach(of: outputs) - inputs.extents(2..<2 + rank)
        let begin = try self.begin(missing)
        let none = inputs.integers([0, 0])
        return try none.joined([begin, none, missing - begin])
    }

    /// Where each tap of each window lies along an axis, in x's elements: [kernel, windows] with all their axes.
    func positions(_ axis: Int, windows: Term) throws -> Term {
        func spread(_ extents: Term, by step: Int, from start: Int, at place: Int) throws -> Term {
            let steps =
                try extents.apply("Gather", kernel.integers([axis])).indices() * kernel.integers([step])
                + kernel.integers([start])
            return try steps.unsqueezed((0..<2 * rank).filter { $0 != place })
        }
        let tap = try spread(kernel, by: attributes.dilations[axis], from: -attributes.padBegin[axis], at: axis)
        let window = try spread(windows, by: attributes.strides[axis], from: 0, at: rank + axis)
        return try (tap + window).apply("Expand", kernel.joined([windows]))
    }

    private func begin(_ missing: Term) throws -> Term {
        guard attributes.autoPad.isSame || hasGivenShape else { return missing.integers(attributes.padBegin) }
        let more = outputPadding.contains { $0 > 0 } ? try missing + missing.integers(outputPadding) : missing
        let total = try more.apply("Max", missing.integers([Int](repeating: 0, count: rank)))
        let half = try total / missing.integers([Int](repeating: 2, count: rank))
        return attributes.autoPad == .sameUpper ? half : try total - half
    }

    private static func list(_ values: [Int]) -> Attribute { .ints(values.map(Int64.init)) }

    /// Attributes of a convolution without padding, or a transposed one.
    func plain(groups: Int) -> [String: Attribute] {
        [
            "strides": Self.list(attributes.strides), "dilations": Self.list(attributes.dilations),
            "group": .int(Int64(groups)),
        ]
    }

    /// The gradient of weights w of y = conv(x, w), or of x = transposed conv(y, w): [filters, channels of a group, kernel].
    ///
    /// Σ over images and outputs is a convolution whose channels are the images and whose kernel is y's gradient: one step of
    /// the kernel is a stride of the window, and one step of the window a dilation.
    ///
    /// - Parameters:
    ///   - x: as long as the windows' reach.
    ///   - y: the side of the windows.
    func weights(_ x: Term, _ y: Term, like w: Term, groups: Int) throws -> Term {
        let exchanged = [1, 0] + Array(2..<2 + rank)
        let (images, space) = (try x.extents(0..<1), try x.extents(2..<2 + rank))
        let perGroup = try w.extents(1..<2)
        // Channels become images; the images of each group its channels.
        let rows =
            groups == 1
            ? try x.transposed(exchanged)
            : try x.reshaped(to: images.joined([x.integers([groups]), perGroup, space]))
                .transposed([2, 1, 0] + Array(3..<3 + rank))
                .reshaped(to: perGroup.joined([images * x.integers([groups]), space]))
        let attributes: [String: Attribute] = [
            "strides": Self.list(attributes.dilations), "dilations": Self.list(attributes.strides),
            "group": .int(Int64(groups)),
        ]
        return try rows.apply("Conv", y.transposed(exchanged), with: attributes).transposed(exchanged)
    }

    /// Sums over each window, for each channel by itself, in the shape of `y`.
    /// - Parameter x: its padding counts with zeros.
    func sums(_ x: Term, like y: Term) throws -> Term {
        let padded = try x.padded(pads(x, outputs: y))
        let one = x.integers([1, 1])
        let alone = try padded.reshaped(to: x.integers([-1, 1]).joined([padded.extents(2..<2 + rank)]))
        let ones = try x.filled(1, one.joined([kernel]))
        return try alone.apply("Conv", ones, with: plain(groups: 1)).reshaped(like: y)
    }

    /// The number of elements that count in each window, in the shape [1, 1, windows].
    func counts(_ x: Term, like y: Term, includesPadding: Bool) throws -> Term {
        let one = x.integers([1, 1])
        let inside = try x.filled(1, one.joined([x.extents(2..<2 + rank)]))
        let shape = try x.filled(0, one.joined([y.extents(2..<2 + rank)]))
        if includesPadding, !attributes.autoPad.isSame {
            let none = [0, 0]
            let padding = x.integers(none + attributes.padBegin + none + attributes.padEnd)
            let padded = try inside.apply("Pad", padding, x.number(1))
            // The padding is there already.
            var terms = self
            terms.attributes = attributes.withoutPadding
            return try terms.sums(padded, like: shape)
        }
        if includesPadding {
            let count = try kernel.apply("ReduceProd", with: ["keepdims": .int(0)])
            return try shape + count.converted(to: x)
        }
        return try sums(inside, like: shape)
    }
}

extension Derivation {
    /// The window of a convolution with these weights.
    func window(_ weights: Term) throws -> WindowTerms {
        let rank = try max(weights.rank() - 2, 0)
        let attributes = try WindowAttributes(node, kernel: [Int](repeating: 1, count: rank))
        return WindowTerms(attributes: attributes, kernel: try weights.extents(2..<2 + rank))
    }

    /// The window of a transposed convolution with these weights: its inputs are the side of the windows.
    func transposedWindow(_ weights: Term) throws -> WindowTerms {
        let rank = try max(weights.rank() - 2, 0)
        let window = try TransposedWindow(node, kernel: [Int](repeating: 1, count: rank))
        return WindowTerms(
            attributes: window.attributes, kernel: try weights.extents(2..<2 + rank),
            outputPadding: window.outputPadding, hasGivenShape: window.outputShape != nil)
    }

    /// The window of a pool.
    func poolingWindow() throws -> WindowTerms {
        let kernel = node.ints("kernel_shape") ?? []
        return WindowTerms(attributes: try WindowAttributes(node, kernel: kernel), kernel: try x().integers(kernel))
    }
}
