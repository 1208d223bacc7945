import SardonyxImaging

extension Pipeline {
    /// Reads the text of a pipeline.yaml (or of the same in JSON).
    ///
    /// - Parameters:
    ///   - text: at most 1 MB; every field is described in Docs/Pipelines.md.
    ///   - path: names the file in errors.
    /// - Throws: `PipelineError` with all problems at once: unknown fields, wrong types, values out of range,
    ///   contradictions.
    public init(yaml text: String, path: String = "") throws {
        let reader = TreeReader()
        let root = Field(try Tree(yaml: text, path: path), "", reader)
        let pipeline = root.record(Pipeline.read(root:))
        if let pipeline {
            let wrong = reader.problems.map(\.field) + reader.misspelt
            // Without its task nobody knows what the rest needs, without its labels what steps may name.
            let isUnsure = { (field: String) in
                wrong.contains("task") && !field.hasPrefix("input") && !field.hasPrefix("tiling")
                    || wrong.contains { $0.hasPrefix("labels") } && field.hasPrefix("postprocessing")
            }
            reader.add(pipeline.problems().filter { !isUnsure($0.field) })
        }
        guard let pipeline, reader.problems.isEmpty else { throw PipelineError(path: path, problems: reader.problems) }
        self = pipeline
    }

    static func read(root record: Record) -> Pipeline {
        if let version = record.optional("version", { $0.integer() }), version != 1 {
            record.fail("the form of version \(version) is not known", "write 'version: 1', or use a newer Sardonyx")
        }
        let name = record.required("name", "Liver", or: "") { $0.string() }
        let task = record.required("task", "segmentation", or: .segmentation) { $0.choice(Task.self) }
        return Pipeline(
            name: name, task: task,
            model: record.value("model", or: "model.onnx") { $0.string() },
            input: record.required("input", "{channels: [{name: CT}]}", or: Input(channels: [])) {
                $0.record(read(input:))
            },
            tiling: record.value("tiling", or: Tiling()) { $0.record(read(tiling:)) },
            output: record.value("output", or: Output()) { $0.record(read(output:)) },
            labels: record.value("labels", or: []) { read(labels: $0, from: task == .segmentation ? 1 : 0) },
            postprocessing: record.value("postprocessing", or: []) { $0.list(read(postprocessing:)) },
            results: record.required("results", "{image: labels.nii.gz}", or: []) { $0.record(read(results:)) })
    }

    // MARK: - Input

    private static func read(input record: Record) -> Input {
        if record.has("spacing"), record.has("size") {
            record.fail("spacing and size exclude each other", "keep one of them")
        }
        let spacing = record.optional("spacing") { axes($0) { $0.number() } }
        let size = record.optional("size") { axes($0) { $0.integer() } }
        let standard = Input(channels: [])
        return Input(
            name: record.optional("name") { $0.string() },
            channels: record.required("channels", "[{name: CT}]", or: []) { $0.list { $0.record(read(channel:)) } },
            axes: record.value("axes", or: standard.axes, read(axes:)),
            sampling: spacing.map { .spacing($0) } ?? size.map { .size($0) } ?? .source,
            alignment: record.value("alignment", or: standard.alignment) { $0.choice(SpacingRule.self) },
            interpolation: record.value("interpolation", or: standard.interpolation) { $0.choice(Interpolation.self) },
            keepsRange: record.value("keep_range", or: standard.keepsRange) { $0.flag() },
            changesIntensityFirst: record.value("intensity_first", or: standard.changesIntensityFirst) { $0.flag() },
            refusesNonFinite: record.value("nonfinite", or: false) { field in
                field.variant(["zero", "refuse"]) { name, _ in name == "refuse" }
            },
            antialias: record.value("antialias", or: standard.antialias) { $0.flag() },
            separateAnisotropicAxis: record.value(
                "separate_anisotropic_axis", or: standard.separateAnisotropicAxis
            ) { $0.flag() },
            crop: record.value("crop", or: .none, read(crop:)),
            cropsLast: record.value("crop_last", or: standard.cropsLast) { $0.flag() })
    }

    /// A value for each axis, or "keep"; two are for the last two axes.
    private static func axes<T>(_ field: Field, _ read: (Field) -> T?) -> [T?]? {
        let values = field.list { entry -> T?? in entry.tree.text == "keep" ? .some(nil) : read(entry).map { .some($0) }
        }
        return values.map { $0.count == 2 ? [nil] + $0 : $0 }
    }

    private static func read(channel record: Record) -> Channel {
        Channel(
            name: record.required("name", "CT", or: "") { $0.string() },
            component: record.optional("component") { $0.integer() },
            intensity: record.value("intensity", or: []) { $0.list(read(intensity:)) })
    }

    private static func read(axes field: Field) -> Axes? {
        let text = field.tree.text ?? ""
        if let orientation = Orientation(text) { return .anatomical(orientation) }
        let stored = text.utf8.compactMap { "ijk".utf8.map { $0 }.firstIndex(of: $0) }
        if text.utf8.count == 3, Set(stored).count == 3 { return .stored(stored) }
        field.fail(
            "three letters of R L A P S I (RAS), or of i j k (kji)",
            "name the direction in which each axis of the network grows")
        return nil
    }

    private static func read(crop field: Field) -> Crop? {
        field.variant(["none", "nonzero", "foreground"]) { name, record in
            switch name {
            case "nonzero": return .nonzero(margin: record.value("margin", or: 0) { $0.integer() })
            case "foreground":
                return .foreground(
                    above: record.value("above", or: 0) { $0.number() },
                    margin: record.value("margin", or: 0) { $0.integer() })
            default: return Crop.none
            }
        }
    }

    private static func read(intensity field: Field) -> IntensityStep? {
        field.variant(IntensityStep.names) { name, record in
            func region() -> Region { record.value("region", or: .everything, read(region:)) }
            /// Two numbers as [low, high].
            func pair(_ key: String, or standard: (Double, Double)?) -> (low: Double, high: Double) {
                let read: (Field) -> (low: Double, high: Double)? = { field in
                    guard let values = field.list({ $0.number() }) else { return nil }
                    if values.count != 2 { field.fail("[low, high]") }
                    return values.count == 2 ? (values[0], values[1]) : nil
                }
                guard let standard else { return record.required(key, "[0, 100]", or: (0, 1), read) }
                return record.value(key, or: standard, read)
            }
            func flag(_ key: String, or standard: Bool) -> Bool { record.value(key, or: standard) { $0.flag() } }
            func number(_ key: String, or standard: Double) -> Double {
                record.value(key, or: standard) { $0.number() }
            }
            switch name {
            case "clip": return .clip(low: number("low", or: -.infinity), high: number("high", or: .infinity))
            case "clip_percentiles":
                return .clipPercentiles(
                    low: number("low", or: 0), high: number("high", or: 100), region: region())
            case "scale":
                let (from, to) = (pair("from", or: nil), pair("to", or: (0, 1)))
                return .scale(
                    low: from.low, high: from.high, newLow: to.low, newHigh: to.high, clips: flag("clip", or: false))
            case "scale_to_range":
                let to = pair("to", or: (0, 1))
                return .scaleToRange(newLow: to.low, newHigh: to.high, region: region())
            case "scale_percentiles":
                let (from, to) = (pair("from", or: nil), pair("to", or: (0, 1)))
                return .scalePercentiles(
                    low: from.low, high: from.high, newLow: to.low, newHigh: to.high, clips: flag("clip", or: false),
                    region: region())
            case "divide_by_maximum": return .divideByMaximum(region: region())
            case "normalize":
                return .normalize(
                    mean: record.required("mean", "0", or: 0) { $0.number() },
                    deviation: record.required("deviation", "1", or: 1) { $0.number() })
            case "z_score": return .zScore(region: region(), onlyInside: flag("only_inside", or: false))
            default: return .linear(factor: number("factor", or: 1), offset: number("offset", or: 0))
            }
        }
    }

    private static func read(region field: Field) -> Region? {
        if field.tree.text == "above" {
            field.fail("the value too", "write {above: 0}")
            return nil
        }
        if let above = field.tree["above"], field.tree.map?.count == 1 {
            return Field(above, field.path + ".above", field.reader).number().map { .above($0) }
        }
        return field.variant(["everything", "nonzero", "foreground", "above"]) { name, _ in
            name == "nonzero" ? .nonzero : name == "foreground" ? .foreground : .everything
        }
    }

    // MARK: - Tiling and output

    private static func read(tiling record: Record) -> Tiling {
        let standard = Tiling()
        let padding = record.optional("padding") { field -> Double? in
            field.tree.text == "edge" ? .infinity : field.number()
        }
        return Tiling(
            scheme: record.required("scheme", "monai", or: standard.scheme) { $0.choice(Tiling.Scheme.self) },
            size: record.value("size", or: []) { $0.list { $0.integer() } },
            overlap: record.value("overlap", or: standard.overlap) { $0.number() },
            weight: record.value("weight", or: standard.weight) { $0.choice(Tiling.Weight.self) },
            sigma: record.value("sigma", or: standard.sigma) { $0.number() },
            batch: record.value("batch", or: standard.batch) { $0.integer() },
            mirror: record.value("mirror", or: []) { $0.list { $0.integer() } },
            skipsEmptyTiles: record.value("skip_empty_tiles", or: false) { $0.flag() },
            neighbours: record.value("neighbours", or: 0) { $0.integer() },
            padding: padding == .infinity ? 0 : padding ?? 0,
            repeatsEdge: padding == .infinity,
            multiple: record.value("multiple", or: 1) { $0.integer() })
    }

    private static func read(output record: Record) -> Output {
        let standard = Output()
        return Output(
            name: record.optional("name") { $0.string() },
            activation: record.value("activation", or: .none) { $0.choice(Output.Activation.self) },
            activatesLast: record.value("activate_last", or: standard.activatesLast) { $0.flag() },
            interpolation: record.value("interpolation", or: standard.interpolation) { $0.choice(Interpolation.self) },
            decision: record.value("decision", or: .values, read(decision:)),
            restoresIntensity: record.value("restore_intensity", or: false) { $0.flag() },
            detection: record.optional("detection") { $0.record(read(detection:)) })
    }

    private static func read(decision field: Field) -> Output.Decision? {
        if let threshold = field.tree["threshold"], field.tree.map?.count == 1 {
            return Field(threshold, field.path + ".threshold", field.reader).number().map { .threshold($0) }
        }
        return field.variant(["argmax", "threshold", "values"]) { name, _ in
            name == "argmax" ? .argmax : name == "threshold" ? .threshold(0.5) : .values
        }
    }

    private static func read(detection record: Record) -> Detection {
        let standard = Detection(boxes: "", scores: "")
        let form = record.value("form", or: "corners") { field -> String? in
            field.variant(["corners", "centres"]) { name, _ in name }
        }
        return Detection(
            boxes: record.required("boxes", "boxes", or: "") { $0.string() },
            scores: record.required("scores", "scores", or: "") { $0.string() },
            classes: record.optional("classes") { $0.string() },
            areCentres: form == "centres",
            areRelative: record.value("relative", or: false) { $0.flag() },
            scoreThreshold: record.value("score_threshold", or: standard.scoreThreshold) { $0.number() },
            overlapThreshold: record.value("overlap_threshold", or: standard.overlapThreshold) { $0.number() },
            limit: record.value("limit", or: standard.limit) { $0.integer() })
    }

    /// Names, or mappings; values follow one another where they are not given.
    private static func read(labels field: Field, from first: Int) -> [Label]? {
        var position = first - 1
        return field.list { entry in
            position += 1
            if entry.tree.map == nil { return entry.string().map { Label(value: position, name: $0) } }
            return entry.record { record in
                Label(
                    value: record.value("value", or: position) { $0.integer() },
                    name: record.required("name", "liver", or: "") { $0.string() },
                    colour: record.optional("colour", read(colour:)))
            }
        }
    }

    private static func read(colour field: Field) -> RGB? {
        let text = field.tree.text ?? ""
        let digits = text.dropFirst()
        guard text.hasPrefix("#"), digits.utf8.count == 6, digits.allSatisfy(\.isHexDigit),
            let value = UInt32(digits, radix: 16)
        else {
            field.fail("a colour like \"#e63c3c\"", "write # and six hexadecimal digits (red, green, blue) in quotes")
            return nil
        }
        return RGB(UInt8(value >> 16), UInt8(value >> 8 & 255), UInt8(value & 255))
    }

    private static func read(postprocessing field: Field) -> PostprocessingStep? {
        field.variant(["largest_component", "minimum_volume", "fill_holes"]) { name, record in
            let labels = record.value("labels", or: []) { $0.list { $0.integer() } }
            switch name {
            case "largest_component":
                let isFull = record.value("connectivity", or: false) { field in
                    field.variant(["faces", "full"]) { name, _ in name == "full" }
                }
                return .largestComponent(labels: labels, connectivity: isFull ? .full : .faces)
            case "fill_holes": return .fillHoles(labels: labels)
            default:
                return .minimumVolume(
                    cubicMillimetres: record.required("cubic_millimetres", "50", or: 1) { $0.number() }, labels: labels)
            }
        }
    }

    /// A file, or several, for each kind.
    private static func read(results record: Record) -> [ResultFile] {
        let kinds = Dictionary(uniqueKeysWithValues: ResultFile.Kind.allCases.map { ($0.rawValue, $0) })
        for kind in ResultFile.Kind.allCases { record.expect(kind.rawValue) }
        return record.keys.compactMap { kinds[$0] }.flatMap { kind in
            record.value(kind.rawValue, or: []) { field in
                field.tree.list == nil ? field.string().map { [$0] } : field.list { $0.string() }
            }.map { ResultFile(kind, $0) }
        }
    }
}

extension Pipeline.IntensityStep {
    /// In pipeline.yaml.
    static let names = [
        "clip", "clip_percentiles", "scale", "scale_to_range", "scale_percentiles", "divide_by_maximum", "normalize",
        "z_score", "linear",
    ]

    /// In pipeline.yaml.
    var name: String {
        switch self {
        case .clip: return "clip"
        case .clipPercentiles: return "clip_percentiles"
        case .scale: return "scale"
        case .scaleToRange: return "scale_to_range"
        case .scalePercentiles: return "scale_percentiles"
        case .divideByMaximum: return "divide_by_maximum"
        case .normalize: return "normalize"
        case .zScore: return "z_score"
        case .linear: return "linear"
        }
    }
}
