import SardonyxImaging

extension Pipeline {
    /// What is wrong with the values: out of range, missing for the task, or contradicting each other; empty for a
    /// pipeline that can be run. Fields are named as in pipeline.yaml.
    public func problems() -> [PipelineError.Problem] {
        var check = Check()
        check.that(!name.isEmpty, "name", "it is empty", "give the pipeline a name")
        if let why = Pipeline.whyOutside(model) {
            check.fail("model", "'\(model)' \(why)", "put the model into the pipeline's folder")
        }
        check(input)
        check(tiling)
        check(output, of: self)
        check(labels, task)
        check(postprocessing, of: self)
        check(results, of: self)
        return check.problems
    }

    /// Why a relative path may leave its folder, by its text alone; `nil` where it stays inside.
    static func whyOutside(_ path: String) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return path.isEmpty
            ? "names no file"
            : path.utf8.contains(0)
                ? "holds a zero byte"
                : path.hasPrefix("/")
                    ? "is an absolute path" : parts.contains("..") ? "leaves the folder by '..'" : nil
    }
}

/// Gathers problems.
private struct Check {
    var problems: [PipelineError.Problem] = []

    mutating func fail(_ field: String, _ problem: String, _ remedy: String = "") {
        problems.append(.init(field: field, problem: problem, remedy: remedy))
    }

    mutating func that(_ isTrue: Bool, _ field: String, _ problem: String, _ remedy: String = "") {
        if !isTrue { fail(field, problem, remedy) }
    }

    mutating func range<T: Comparable>(_ value: T, _ range: ClosedRange<T>, _ field: String, _ unit: String = "") {
        that(
            range.contains(value), field,
            "\(value) was found, \(range.lowerBound) to \(range.upperBound)\(unit) was expected")
    }

    mutating func finite(_ value: Double, _ field: String) {
        that(value.isFinite, field, "a finite number was expected")
    }

    mutating func differ<T: Hashable>(_ values: [T], _ field: (Int) -> String, _ what: String) {
        var seen: Set<T> = []
        for (n, value) in values.enumerated() where !seen.insert(value).inserted {
            fail(field(n), "\(what) \(value) stands twice", "keep one, or change it")
        }
    }

    // MARK: - Input

    mutating func callAsFunction(_ input: Pipeline.Input) {
        range(input.channels.count, 1...64, "input.channels", " channels")
        differ(input.channels.map(\.name), { "input.channels[\($0)].name" }, "the channel")
        for (n, channel) in input.channels.enumerated() {
            let field = "input.channels[\(n)]"
            that(!channel.name.isEmpty, "\(field).name", "it is empty", "name the modality")
            if let component = channel.component { range(component, 0...63, "\(field).component") }
            for (step, intensity) in channel.intensity.enumerated() {
                self(intensity, "\(field).intensity[\(step)].\(intensity.name)", input)
            }
        }
        if case .stored(let axes) = input.axes {
            that(axes.sorted() == [0, 1, 2], "input.axes", "\(axes) are not the axes 0, 1 and 2, each once")
        }
        switch input.sampling {
        case .source: break
        case .spacing(let spacing): each(spacing, 1e-6...1e6, "input.spacing", " mm")
        case .size(let size): each(size, 1...65536, "input.size", " voxels")
        }
        switch input.crop {
        case .none: break
        case .nonzero(let margin): range(margin, 0...1000, "input.crop.nonzero.margin", " voxels")
        case .foreground(let above, let margin):
            finite(above, "input.crop.foreground.above")
            range(margin, 0...1000, "input.crop.foreground.margin", " voxels")
        }
        that(
            !input.cropsLast || !input.keepsRange && !input.usesForeground, "input.crop_last",
            "a crop of the network's grid goes neither with keep_range nor with the region foreground",
            "remove one of them")
    }

    /// A value for each of three axes, or none to keep it.
    private mutating func each<T: Comparable>(
        _ values: [T?], _ range: ClosedRange<T>, _ field: String, _ unit: String
    ) {
        that(
            values.count == 3, field, "\(values.count) values were found, one for each axis was expected",
            "give three, or two for a model that sees slices")
        for (n, value) in values.enumerated() { if let value { self.range(value, range, "\(field)[\(n)]", unit) } }
        that(values.contains { $0 != nil }, field, "no axis is resampled", "remove the field")
    }

    private mutating func callAsFunction(_ step: Pipeline.IntensityStep, _ field: String, _ input: Pipeline.Input) {
        func both(_ low: Double, _ high: Double, _ name: String) {
            finite(low, "\(field).\(name)")
            finite(high, "\(field).\(name)")
            that(low < high, "\(field).\(name)", "\(low) is not below \(high)", "give the low one first")
        }
        func percentiles(_ low: Double, _ high: Double, _ lowName: String, _ highName: String) {
            range(low, 0...100, "\(field).\(lowName)", " %")
            range(high, 0...100, "\(field).\(highName)", " %")
            that(low < high, "\(field).\(lowName)", "\(low) is not below \(high)", "give the low one first")
        }
        switch step {
        case .clip(let low, let high):
            that(!low.isNaN && !high.isNaN && low <= high, field, "\(low) is above \(high)", "exchange them")
            that(low.isFinite || high.isFinite, field, "neither low nor high is given", "give one of them")
        case .clipPercentiles(let low, let high, let region):
            percentiles(low, high, "low", "high")
            self(region, "\(field).region", input)
        case .scale(let low, let high, let newLow, let newHigh, _):
            both(low, high, "from")
            both(newLow, newHigh, "to")
        case .scaleToRange(let newLow, let newHigh, let region):
            both(newLow, newHigh, "to")
            self(region, "\(field).region", input)
        case .scalePercentiles(let low, let high, let newLow, let newHigh, _, let region):
            percentiles(low, high, "from", "from")
            both(newLow, newHigh, "to")
            self(region, "\(field).region", input)
        case .divideByMaximum(let region): self(region, "\(field).region", input)
        case .normalize(let mean, let deviation):
            finite(mean, "\(field).mean")
            that(
                deviation.isFinite && deviation > 0, "\(field).deviation",
                "\(deviation) was found, a number above 0 was expected")
        case .zScore(let region, _): self(region, "\(field).region", input)
        case .linear(let factor, let offset):
            that(
                factor.isFinite && factor != 0, "\(field).factor",
                "\(factor) was found, a finite number other than 0 was expected")
            finite(offset, "\(field).offset")
        }
    }

    private mutating func callAsFunction(_ region: Pipeline.Region, _ field: String, _ input: Pipeline.Input) {
        if case .above(let value) = region { finite(value, "\(field).above") }
        that(
            region != .foreground || input.changesIntensityFirst, field,
            "the foreground is known on the source's grid only", "add 'intensity_first: true' to input")
    }

    // MARK: - Tiling and output

    mutating func callAsFunction(_ tiling: Pipeline.Tiling) {
        let axes = tiling.size.isEmpty ? 3 : tiling.size.count
        that(
            [0, 2, 3].contains(tiling.size.count), "tiling.size",
            "\(tiling.size.count) values were found, one for each axis was expected",
            "give three, or two for a model that sees slices")
        for (n, value) in tiling.size.enumerated() { range(value, 1...65536, "tiling.size[\(n)]", " voxels") }
        that(
            tiling.scheme != .whole || tiling.size.isEmpty, "tiling.size", "there is one tile, the whole grid",
            "remove the size, or choose the scheme monai or nnunet")
        that(
            tiling.overlap >= 0 && tiling.overlap < 1, "tiling.overlap",
            "\(tiling.overlap) was found, 0 up to below 1 was expected", "give the share of a tile, for example 0.5")
        range(tiling.sigma, 0.01...10, "tiling.sigma", " of a side")
        range(tiling.batch, 1...1024, "tiling.batch", " tiles")
        differ(tiling.mirror, { "tiling.mirror[\($0)]" }, "the axis")
        for (n, axis) in tiling.mirror.enumerated() {
            that(
                axis >= 0 && axis < axes, "tiling.mirror[\(n)]",
                "there is no axis \(axis), the model has axes 0 to \(axes - 1)")
        }
        range(tiling.neighbours, 0...64, "tiling.neighbours", " slices")
        that(
            tiling.neighbours == 0 || tiling.size.count != 3, "tiling.neighbours",
            "a model with tiles of three axes sees no neighbouring slices", "give a size of two axes, or 0 neighbours")
        finite(tiling.padding, "tiling.padding")
        range(tiling.multiple, 1...4096, "tiling.multiple", " voxels")
        that(
            tiling.multiple == 1 || tiling.scheme == .whole, "tiling.multiple",
            "tiles have a size of their own", "remove the field, or choose the scheme whole")
    }

    mutating func callAsFunction(_ output: Pipeline.Output, of pipeline: Pipeline) {
        let task = pipeline.task
        if task == .segmentation {
            that(
                output.decision != .values, "output.decision", "a segmentation needs argmax or a threshold",
                "add 'decision: argmax', or 'decision: {threshold: 0.5}'")
        } else {
            that(
                output.decision == .values, "output.decision", "only a segmentation decides on labels",
                "remove the field, or change the task")
        }
        if case .threshold(let value) = output.decision {
            finite(value, "output.decision.threshold")
            // A softmax's sum is 1.
            let even = 1 / Double(max(1, pipeline.labels.count))
            // What a function gives each channel where nothing is, at most.
            let least: Double? =
                switch output.activation {
                case .none: nil
                case .sigmoid: 0
                case .softmax: even
                }
            if pipeline.tiling.skipsEmptyTiles, let least, value <= least {
                fail(
                    "tiling.skip_empty_tiles",
                    "a \(output.activation.rawValue) gives \(least) and more where nothing is, and the threshold is "
                        + "\(value), so that skipped tiles would be labelled",
                    "remove the field, or give a threshold above \(least)")
            }
            // What lies beside a crop of the network's grid counts as 0 on the way back, as in MONAI.
            let zero: Double =
                switch output.activation {
                case .sigmoid where output.activatesLast: 0.5
                case .softmax where output.activatesLast: even
                default: 0
                }
            that(
                !pipeline.input.cropsLast || value >= zero, "input.crop_last",
                "beside a crop of the network's grid values are \(zero), and the threshold is \(value), so that all "
                    + "would be labelled there", "remove the field, or give a threshold of \(zero) or more")
        }
        that(
            !output.restoresIntensity || task == .reconstruction, "output.restore_intensity",
            "only a reconstruction has intensities", "remove the field, or change the task")
        if output.restoresIntensity, let channel = pipeline.input.channels.first {
            for (n, step) in channel.intensity.enumerated() {
                guard case .zScore(let region, true) = step, region != .everything else { continue }
                fail(
                    "output.restore_intensity",
                    "input.channels[0].intensity[\(n)].z_score changes what lies inside its region only, which the "
                        + "model's output does not tell from the rest",
                    "remove only_inside there, or this field")
            }
        }
        guard let detection = output.detection else {
            that(
                task != .detection, "output.detection", "a detection needs the names of the model's outputs",
                "add 'detection: {boxes: …, scores: …}'")
            return
        }
        that(
            task == .detection, "output.detection", "the task is \(task.rawValue)",
            "remove the field, or change the task")
        that(!detection.boxes.isEmpty, "output.detection.boxes", "it is empty", "name the model's output")
        that(!detection.scores.isEmpty, "output.detection.scores", "it is empty", "name the model's output")
        range(detection.scoreThreshold, 0...1, "output.detection.score_threshold")
        range(detection.overlapThreshold, 0...1, "output.detection.overlap_threshold")
        range(detection.limit, 1...100_000, "output.detection.limit", " boxes")
    }

    mutating func callAsFunction(_ labels: [Pipeline.Label], _ task: Pipeline.Task) {
        that(
            task != .segmentation || !labels.isEmpty, "labels", "a segmentation needs the names of its labels",
            "add 'labels: [{value: 1, name: …}]'")
        that(task != .reconstruction || labels.isEmpty, "labels", "a reconstruction has no labels", "remove the field")
        differ(labels.map(\.value), { "labels[\($0)].value" }, "the label")
        differ(labels.map(\.name), { "labels[\($0)].name" }, "the label")
        for (n, label) in labels.enumerated() {
            range(label.value, (task == .segmentation ? 1 : 0)...65535, "labels[\(n)].value")
            that(!label.name.isEmpty, "labels[\(n)].name", "it is empty", "name the label")
        }
    }

    mutating func callAsFunction(_ steps: [Pipeline.PostprocessingStep], of pipeline: Pipeline) {
        that(
            steps.isEmpty || pipeline.task == .segmentation, "postprocessing",
            "only a segmentation has labels to work on", "remove the field")
        let known = Set(pipeline.labels.map(\.value))
        for (n, step) in steps.enumerated() {
            let field = "postprocessing[\(n)].\(step.name)"
            if case .minimumVolume(let volume, _) = step {
                that(
                    volume.isFinite && volume > 0, "\(field).cubic_millimetres",
                    "\(volume) was found, a number above 0 was expected")
            }
            for (m, label) in step.labels.enumerated() where pipeline.task == .segmentation {
                that(
                    known.contains(label), "\(field).labels[\(m)]", "there is no label \(label)",
                    "the labels are \(known.sorted().prefix(20).map(String.init).joined(separator: ", "))")
            }
        }
    }

    mutating func callAsFunction(_ results: [Pipeline.ResultFile], of pipeline: Pipeline) {
        that(!results.isEmpty, "results", "nothing would be written", "add 'measures: measures.csv'")
        let kinds: [Pipeline.ResultFile.Kind]
        switch pipeline.task {
        case .segmentation: kinds = [.image, .probabilities, .masks, .picture, .measures]
        case .classification: kinds = [.measures]
        case .detection: kinds = [.measures, .picture]
        case .reconstruction: kinds = [.image]
        }
        let isThreshold = if case .threshold = pipeline.output.decision { true } else { false }
        var names: Set<String> = []
        var counts: [Pipeline.ResultFile.Kind: Int] = [:]
        for result in results {
            let (kind, file) = (result.kind, result.file)
            let field = "results.\(kind.rawValue)[\(counts[kind, default: 0])]"
            counts[kind, default: 0] += 1
            that(
                kinds.contains(kind), field, "a \(pipeline.task.rawValue) gives no \(kind.rawValue)",
                "the kinds are \(Field.either(kinds.map(\.rawValue)))")
            that(names.insert(file).inserted, field, "the file \(file) stands twice", "keep one, or change it")
            that(
                kind != .masks || isThreshold || pipeline.task != .segmentation, field,
                "labels overlap only with a threshold", "write image, or 'decision: {threshold: 0.5}'")
            if file.contains("/") || file.utf8.contains(0) || [".", "..", ""].contains(file) {
                fail(field, "'\(file)' is not a plain file name", "write a name without folders")
            } else if !kind.endings.contains(where: {
                file.lowercased().hasSuffix($0) && file.utf8.count > $0.utf8.count
            }) {
                fail(
                    field, "'\(file)' does not end as a file of kind \(kind.rawValue)",
                    "the endings are \(Field.either(kind.endings))")
            }
        }
    }
}

extension Pipeline.Input {
    /// Whether a step asks for figures of the foreground.
    var usesForeground: Bool { channels.contains { $0.intensity.contains { $0.region == .foreground } } }
}

extension Pipeline.PostprocessingStep {
    /// In pipeline.yaml.
    var name: String {
        switch self {
        case .largestComponent: return "largest_component"
        case .minimumVolume: return "minimum_volume"
        case .fillHoles: return "fill_holes"
        }
    }

    /// The labels that it works on; empty for each.
    public var labels: [Int] {
        switch self {
        case .largestComponent(let labels, _), .minimumVolume(_, let labels), .fillHoles(let labels): return labels
        }
    }
}
