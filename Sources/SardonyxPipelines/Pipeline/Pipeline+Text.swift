import SardonyxImaging

extension Pipeline {
    /// The pipeline as the text of a pipeline.yaml; reading it gives the same pipeline.
    ///
    /// - Parameters:
    ///   - comments: whether each field says what it may hold; else fields that do nothing are left out too.
    ///   - notes: lines above fields, named as in `PipelineError.Problem.field`: `["tiling.size": "the model's own"]`.
    public func text(comments: Bool = true, notes: [String: String] = [:]) -> String {
        var text = PipelineText(comments: comments, notes: notes)
        text.write(self)
        return text.lines.joined(separator: "\n") + "\n"
    }
}

private struct PipelineText {
    let comments: Bool
    let notes: [String: String]
    var lines: [String] = []

    init(comments: Bool, notes: [String: String]) {
        self.comments = comments
        self.notes = notes
    }

    private mutating func line(_ level: Int, _ text: String, _ field: String = "", _ comment: String = "") {
        let indent = String(repeating: "  ", count: level)
        for note in notes[field]?.split(separator: "\n") ?? [] { lines.append("\(indent)# \(note)") }
        let padding = String(repeating: " ", count: max(1, 36 - indent.count - text.count))
        lines.append(indent + text + (comments && !comment.isEmpty ? "\(padding)# \(comment)" : ""))
    }

    /// A field that has a default: left out without comments where it holds it.
    private mutating func field(
        _ level: Int, _ path: String, _ value: String, standard: String, _ comment: String
    ) {
        guard comments || value != standard || notes[path] != nil else { return }
        line(level, "\(path.split(separator: ".").last ?? ""): \(value)", path, comment)
    }

    mutating func write(_ pipeline: Pipeline) {
        if comments {
            lines.append("# What stands around the model. Every field is described in Docs/Pipelines.md of Sardonyx.")
        }
        line(0, "name: \(quoted(pipeline.name))", "name")
        line(0, "task: \(pipeline.task.rawValue)", "task", either(Pipeline.Task.self))
        field(0, "model", quoted(pipeline.model), standard: "model.onnx", "in this folder")
        write(pipeline.input)
        if comments || pipeline.tiling != Pipeline.Tiling() { write(pipeline.tiling) }
        if comments || pipeline.output != Pipeline.Output() { write(pipeline.output) }
        if !pipeline.labels.isEmpty {
            line(0, "labels:", "labels", "in the order of the model's channels, without the background")
            for label in pipeline.labels {
                let colour = [label.colour.red, label.colour.green, label.colour.blue].map {
                    ($0 < 16 ? "0" : "") + String($0, radix: 16)
                }
                line(
                    1,
                    "- {value: \(label.value), name: \(quoted(label.name)), colour: \"#\(colour.joined())\"}")
            }
        }
        if !pipeline.postprocessing.isEmpty {
            line(0, "postprocessing:", "postprocessing", "in this order")
            for step in pipeline.postprocessing { line(1, "- \(step.text)") }
        }
        line(
            0, pipeline.results.isEmpty ? "results: {}" : "results:", "results",
            "files in each study's folder; the ending tells the format")
        var kinds: [Pipeline.ResultFile.Kind] = []
        for result in pipeline.results where !kinds.contains(result.kind) { kinds.append(result.kind) }
        for kind in kinds {
            let files = pipeline.results.filter { $0.kind == kind }.map { quoted($0.file) }
            line(1, "\(kind.rawValue): \(files.count == 1 ? files[0] : list(files))")
        }
    }

    private mutating func write(_ input: Pipeline.Input) {
        let standard = Pipeline.Input(channels: [])
        line(0, "input:", "input")
        if let name = input.name { line(1, "name: \(quoted(name))", "input.name", "the model's input") }
        line(
            1, input.channels.isEmpty ? "channels: []" : "channels:", "input.channels",
            "in the model's order; the names name the images of a study")
        for (n, channel) in input.channels.enumerated() {
            line(2, "- name: \(quoted(channel.name))", "input.channels[\(n)].name")
            if let component = channel.component {
                line(3, "component: \(component)", "input.channels[\(n)].component", "of a colour picture: 0 is red")
            }
            if channel.intensity.isEmpty {
                if let note = notes["input.channels[\(n)].intensity"] { lines.append("      # \(note)") }
                if comments { line(3, "intensity: []", "", "values as they are") }
            } else {
                line(3, "intensity:", "input.channels[\(n)].intensity", n == 0 ? "in this order" : "")
                for step in channel.intensity { line(4, "- \(step.text)") }
            }
        }
        field(
            1, "input.axes", text(input.axes), standard: text(standard.axes),
            "where the network's axes grow: RAS, LPS …; kji as stored")
        switch input.sampling {
        case .source:
            if comments {
                line(1, "# spacing: [1, 1, 1]", "input.spacing", "mm along those axes; or size: [128, 128, 128]")
            }
        case .spacing(let spacing):
            line(
                1, "spacing: \(list(spacing.map { $0.map(number) ?? "keep" }))", "input.spacing",
                "mm along those axes; keep leaves one")
        case .size(let size):
            line(
                1, "size: \(list(size.map { $0.map(String.init) ?? "keep" }))", "input.size",
                "voxels along those axes for the whole image; keep leaves one")
        }
        field(
            1, "input.alignment", input.alignment.rawValue, standard: standard.alignment.rawValue,
            "faces: the field of view stays; centres: the first voxel, as MONAI")
        field(
            1, "input.interpolation", input.interpolation.rawValue, standard: standard.interpolation.rawValue,
            either(Interpolation.self))
        field(
            1, "input.keep_range", "\(input.keepsRange)", standard: "false",
            "cubic stays between least and largest, as nnU-Net")
        field(1, "input.antialias", "\(input.antialias)", standard: "false", "smooth before a coarser grid")
        field(
            1, "input.separate_anisotropic_axis", "\(input.separateAnisotropicAxis)", standard: "false",
            "nnU-Net's rule for thick slices")
        field(1, "input.crop", text(input.crop), standard: "none", "none, nonzero or foreground: {above: 0, margin: 0}")
        field(
            1, "input.crop_last", "\(input.cropsLast)", standard: "false",
            "on the network's grid, as MONAI after Spacing")
        field(
            1, "input.intensity_first", "\(input.changesIntensityFirst)", standard: "false",
            "before resampling, as nnU-Net")
        field(
            1, "input.nonfinite", input.refusesNonFinite ? "refuse" : "zero", standard: "zero",
            "NaN and infinite voxels: zero or refuse")
    }

    private mutating func write(_ tiling: Pipeline.Tiling) {
        let standard = Pipeline.Tiling()
        line(0, "tiling:", "tiling")
        line(1, "scheme: \(tiling.scheme.rawValue)", "tiling.scheme", either(Pipeline.Tiling.Scheme.self))
        if tiling.scheme != .whole || !tiling.size.isEmpty {
            field(1, "tiling.size", list(tiling.size), standard: "[]", "voxels; [] takes the model's own")
        }
        let tiles = tiling.scheme != .whole
        if tiles || tiling.overlap != standard.overlap {
            field(
                1, "tiling.overlap", number(tiling.overlap), standard: number(standard.overlap),
                "share of a tile, below 1")
        }
        if tiles || tiling.weight != standard.weight {
            field(
                1, "tiling.weight", tiling.weight.rawValue, standard: standard.weight.rawValue,
                either(Pipeline.Tiling.Weight.self))
        }
        if tiles || tiling.sigma != standard.sigma {
            field(
                1, "tiling.sigma", number(tiling.sigma), standard: number(standard.sigma),
                "of the Gaussian, share of a side")
        }
        field(1, "tiling.batch", "\(tiling.batch)", standard: "1", "tiles in one run")
        field(1, "tiling.mirror", list(tiling.mirror), standard: "[]", "axes; each doubles the time")
        field(
            1, "tiling.skip_empty_tiles", "\(tiling.skipsEmptyTiles)", standard: "false",
            "tiles of one value are background")
        field(1, "tiling.neighbours", "\(tiling.neighbours)", standard: "0", "slices on each side as channels (2.5D)")
        field(
            1, "tiling.padding", tiling.repeatsEdge ? "edge" : number(tiling.padding), standard: "0",
            "value outside the image, or edge")
        if !tiles || tiling.multiple != 1 {
            field(1, "tiling.multiple", "\(tiling.multiple)", standard: "1", "sides are padded to multiples of this")
        }
    }

    private mutating func write(_ output: Pipeline.Output) {
        line(0, "output:", "output")
        if let name = output.name { line(1, "name: \(quoted(name))", "output.name", "the model's output") }
        field(
            1, "output.activation", output.activation.rawValue, standard: "none",
            either(Pipeline.Output.Activation.self))
        field(
            1, "output.activate_last", "\(output.activatesLast)", standard: "false",
            "on the source's grid, as nnU-Net")
        field(
            1, "output.interpolation", output.interpolation.rawValue, standard: "linear",
            either(Interpolation.self))
        let decision: String
        switch output.decision {
        case .argmax: decision = "argmax"
        case .threshold(let value): decision = "{threshold: \(number(value))}"
        case .values: decision = "values"
        }
        field(1, "output.decision", decision, standard: "values", "argmax, {threshold: 0.5} or values")
        field(
            1, "output.restore_intensity", "\(output.restoresIntensity)", standard: "false",
            "a reconstruction in the source's values")
        // An empty mapping would read as no mapping at all.
        if lines.last == "output:" { line(1, "activation: none") }
        guard let detection = output.detection else { return }
        let standard = Pipeline.Detection(boxes: "", scores: "")
        line(1, "detection:", "output.detection")
        line(2, "boxes: \(quoted(detection.boxes))", "output.detection.boxes", "output [n, 4]")
        line(2, "scores: \(quoted(detection.scores))", "output.detection.scores", "output [n] or [n, classes]")
        if let classes = detection.classes {
            line(2, "classes: \(quoted(classes))", "output.detection.classes", "output [n]")
        }
        let path = "output.detection."
        field(
            2, path + "form", detection.areCentres ? "centres" : "corners", standard: "corners",
            "corners (x1 y1 x2 y2) or centres (x y w h)")
        field(2, path + "relative", "\(detection.areRelative)", standard: "false", "boxes from 0 to 1")
        field(
            2, path + "score_threshold", number(detection.scoreThreshold), standard: number(standard.scoreThreshold),
            "boxes below are dropped")
        field(
            2, path + "overlap_threshold", number(detection.overlapThreshold),
            standard: number(standard.overlapThreshold), "boxes that overlap a better one by more are dropped")
        field(2, path + "limit", "\(detection.limit)", standard: "\(standard.limit)", "at most so many boxes")
    }

    private func text(_ axes: Pipeline.Axes) -> String {
        switch axes {
        case .anatomical(let orientation): return orientation.description
        case .stored(let axes): return String(axes.map { ["i", "j", "k"][min(max($0, 0), 2)] })
        }
    }

    private func text(_ crop: Pipeline.Crop) -> String {
        switch crop {
        case .none: return "none"
        case .nonzero(let margin): return margin == 0 ? "nonzero" : "{nonzero: {margin: \(margin)}}"
        case .foreground(let above, let margin): return "{foreground: {above: \(number(above)), margin: \(margin)}}"
        }
    }

    private func either<T: RawRepresentable & CaseIterable>(_: T.Type) -> String where T.RawValue == String {
        Field.either(T.allCases.map(\.rawValue))
    }
}

private func list<T>(_ values: [T]) -> String { "[" + values.map { "\($0)" }.joined(separator: ", ") + "]" }

/// The shortest text that reads as the same number: 1, 0.5, 1e-08, .inf.
private func number(_ value: Double) -> String {
    if value.isInfinite { return value < 0 ? "-.inf" : ".inf" }
    return abs(value) < 1e15 && value == value.rounded() && !(value == 0 && value.sign == .minus)
        ? String(Int(value)) : "\(value)"
}

/// A text as YAML, in quotes where it could be taken for something else.
private func quoted(_ text: String) -> String {
    let isPlain =
        text.utf8.allSatisfy {
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 32 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                || "_-./() ".utf8.contains($0)
        } && text.first.map { $0.isLetter } == true && text.last != " "
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
    if isPlain { return text }
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case " "..."~", "\u{A0}"..."\u{2027}", "\u{2030}"..."\u{D7FF}", "\u{E000}"..."\u{FDCF}",
            "\u{10000}"..."\u{1FFFD}":
            result.unicodeScalars.append(scalar)
        default:
            let digits = String(scalar.value, radix: 16)
            result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
        }
    }
    return result + "\""
}

extension Pipeline.IntensityStep {
    /// As in pipeline.yaml.
    fileprivate var text: String {
        func mapping(_ fields: [(String, String?)]) -> String {
            let given = fields.compactMap { key, value in value.map { "\(key): \($0)" } }
            return given.isEmpty ? name : "\(name): {\(given.joined(separator: ", "))}"
        }
        func region(_ region: Pipeline.Region) -> (String, String?) {
            switch region {
            case .everything: return ("region", nil)
            case .nonzero: return ("region", "nonzero")
            case .above(let value): return ("region", "{above: \(number(value))}")
            case .foreground: return ("region", "foreground")
            }
        }
        func clip(_ clips: Bool) -> (String, String?) { ("clip", clips ? "true" : nil) }
        switch self {
        case .clip(let low, let high):
            return mapping([
                ("low", low == -.infinity ? nil : number(low)), ("high", high == .infinity ? nil : number(high)),
            ])
        case .clipPercentiles(let low, let high, let over):
            return mapping([("low", number(low)), ("high", number(high)), region(over)])
        case .scale(let low, let high, let newLow, let newHigh, let clips):
            return mapping([
                ("from", list([number(low), number(high)])), ("to", list([number(newLow), number(newHigh)])),
                clip(clips),
            ])
        case .scaleToRange(let newLow, let newHigh, let over):
            return mapping([("to", list([number(newLow), number(newHigh)])), region(over)])
        case .scalePercentiles(let low, let high, let newLow, let newHigh, let clips, let over):
            return mapping([
                ("from", list([number(low), number(high)])), ("to", list([number(newLow), number(newHigh)])),
                clip(clips), region(over),
            ])
        case .divideByMaximum(let over): return mapping([region(over)])
        case .normalize(let mean, let deviation):
            return mapping([("mean", number(mean)), ("deviation", number(deviation))])
        case .zScore(let over, let onlyInside):
            return mapping([region(over), ("only_inside", onlyInside ? "true" : nil)])
        case .linear(let factor, let offset):
            return mapping([("factor", number(factor)), ("offset", number(offset))])
        }
    }
}

extension Pipeline.PostprocessingStep {
    /// As in pipeline.yaml.
    fileprivate var text: String {
        var fields = labels.isEmpty ? [] : ["labels: \(list(labels))"]
        if case .largestComponent(_, .full) = self { fields.append("connectivity: full") }
        if case .minimumVolume(let volume, _) = self { fields.insert("cubic_millimetres: \(number(volume))", at: 0) }
        return fields.isEmpty ? name : "\(name): {\(fields.joined(separator: ", "))}"
    }
}
