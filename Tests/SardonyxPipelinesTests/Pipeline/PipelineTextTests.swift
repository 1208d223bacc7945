import SardonyxImaging
import SardonyxTestSupport
import Testing

@testable import SardonyxPipelines

/// Pipelines as text, and back.
struct PipelineTextTests {
    /// Any pipeline; most have problems, as text does not mind.
    static func random(_ numbers: inout SeededGenerator) -> Pipeline {
        func pick<T>(_ values: [T]) -> T { values[numbers.below(values.count)] }
        func many<T>(_ most: Int, _ make: () -> T) -> [T] {
            (0..<numbers.below(most + 1)).map { _ in make() }
        }
        func number() -> Double {
            pick([
                0, 1, -1, 0.1, -57, 1e-9, 1.0 / 3, 1e20, 123456.789, Double(numbers.below(1999) - 999),
            ])
        }
        func whole() -> Int { numbers.below(200) - 20 }
        func flag() -> Bool { numbers.chance(50) }
        func text() -> String {
            pick([
                "liver", "T1", "true", "null", "~", "1.5", "it's", "a: b", "- x", "#1", "\"q\"", "line\nbreak\t",
                "Größe 3", "*a",
                "&b", "[x]", "{y: 1}", "C:\\x", "\u{1}\u{85}\u{2028}\u{FEFF}", "🧠 brain", " x ", "@a", "%b", "$c",
                "yes",
            ])
        }
        func region() -> Pipeline.Region { pick([.everything, .nonzero, .foreground, .above(number())]) }
        func step() -> Pipeline.IntensityStep {
            pick([
                .clip(low: number(), high: .infinity), .clip(low: -.infinity, high: number()),
                .clipPercentiles(low: number(), high: number(), region: region()),
                .scale(low: number(), high: number(), newLow: number(), newHigh: number(), clips: flag()),
                .scaleToRange(newLow: number(), newHigh: number(), region: region()),
                .scalePercentiles(
                    low: number(), high: number(), newLow: number(), newHigh: number(), clips: flag(),
                    region: region()),
                .divideByMaximum(region: region()), .normalize(mean: number(), deviation: number()),
                .zScore(region: region(), onlyInside: flag()), .linear(factor: number(), offset: number()),
            ])
        }
        let spacing: [Double?] = [nil, number(), number()]
        return Pipeline(
            name: text(), task: pick(Pipeline.Task.allCases), model: text(),
            input: .init(
                name: pick([nil, text()]),
                channels: many(3) { .init(name: text(), component: pick([nil, whole()]), intensity: many(3, step)) },
                axes: pick([
                    .anatomical(.ras), .anatomical(Orientation("SLP")!), .stored([2, 1, 0]), .stored([0, 2, 1]),
                ]),
                sampling: pick([.source, .spacing(spacing), .size([nil, whole(), whole()])]),
                alignment: pick(SpacingRule.allCases),
                interpolation: pick(Interpolation.allCases), keepsRange: flag(), changesIntensityFirst: flag(),
                refusesNonFinite: flag(),
                antialias: flag(), separateAnisotropicAxis: flag(),
                crop: pick([
                    .none, .nonzero(margin: 0), .nonzero(margin: 3), .foreground(above: number(), margin: whole()),
                ]), cropsLast: flag()),
            tiling: .init(
                scheme: pick(Pipeline.Tiling.Scheme.allCases), size: many(3, whole), overlap: number(),
                weight: pick(Pipeline.Tiling.Weight.allCases), sigma: number(), batch: whole(), mirror: many(3, whole),
                skipsEmptyTiles: flag(), neighbours: whole(), padding: 0, repeatsEdge: flag(), multiple: whole()),
            output: .init(
                name: pick([nil, text()]), activation: pick(Pipeline.Output.Activation.allCases),
                activatesLast: flag(), interpolation: pick(Interpolation.allCases),
                decision: pick([.argmax, .values, .threshold(number())]), restoresIntensity: flag(),
                detection: pick([
                    nil,
                    .init(
                        boxes: text(), scores: text(), classes: pick([nil, text()]), areCentres: flag(),
                        areRelative: flag(),
                        scoreThreshold: number(), overlapThreshold: number(), limit: whole()),
                ])),
            labels: many(3) { .init(value: whole(), name: text(), colour: pick([nil, RGB(1, 200, 16)])) },
            postprocessing: many(3) {
                pick([
                    .largestComponent(labels: many(2, whole), connectivity: pick([.faces, .full])),
                    .fillHoles(labels: []),
                    .minimumVolume(cubicMillimetres: number(), labels: many(2, whole)),
                ])
            },
            results: Pipeline.ResultFile.Kind.allCases.flatMap { kind in many(2) { .init(kind, text()) } })
    }

    /// What is read of a text, whatever its problems.
    static func read(_ text: String) throws -> Pipeline? {
        let reader = TreeReader()
        let pipeline = Field(try Tree(yaml: text, path: ""), "", reader).record(Pipeline.read(root:))
        #expect(reader.problems.isEmpty, "\(reader.problems)\n\(text)")
        return pipeline
    }

    @Test func roundTrips() throws {
        var numbers = SeededGenerator(seed: 7)
        for _ in 0..<400 {
            let pipeline = PipelineTextTests.random(&numbers)
            for comments in [true, false] {
                let text = pipeline.text(comments: comments, notes: ["tiling": "A note.", "input.axes": "two\nlines"])
                #expect(try PipelineTextTests.read(text) == pipeline, "\(text)")
            }
        }
    }

    @Test func commentedText() throws {
        let text = try Pipeline(yaml: smallPipeline).text(notes: ["input.axes": "Guessed."])
        #expect(
            text.contains(
                "\n  # Guessed.\n  axes: RAS                         # where the network's axes grow: RAS, LPS …"))
        #expect(text.contains("- scale: {from: [-57, 164], to: [0, 1], clip: true}\n"))
        #expect(text.contains("\n  overlap: 0.5                      # share of a tile, below 1\n"))
        #expect(text.contains("\n  - {value: 1, name: liver, colour: \"#"))
        let short = try Pipeline(yaml: smallPipeline).text(comments: false)
        #expect(!short.contains("#") || short.split(separator: "\n").allSatisfy { !$0.contains(" # ") })
        #expect(!short.contains("batch") && short.utf8.count < 600)
    }

    /// What deepbrain 0.1 does around its network.
    @Test func brainExtraction() throws {
        let pipeline = try Pipeline(yaml: repositoryText("Models/brain-extraction/pipeline.yaml"))
        #expect(pipeline.task == .segmentation)
        #expect(
            pipeline.input.channels == [
                .init(name: "T1", intensity: [.clip(low: 0, high: .infinity), .divideByMaximum(region: .everything)])
            ])
        #expect(pipeline.input.axes == .anatomical(.ras))
        #expect(pipeline.input.sampling == .size([128, 128, 128]))
        #expect(pipeline.input.interpolation == .nearest)
        #expect(!pipeline.input.changesIntensityFirst && !pipeline.input.refusesNonFinite)
        #expect(pipeline.input.crop == .none)
        #expect(pipeline.tiling == Pipeline.Tiling())
        #expect(pipeline.output.decision == .threshold(0.5))
        #expect(pipeline.output.interpolation == .linear && !pipeline.output.activatesLast)
        #expect(pipeline.output.activation == .none)
        #expect(pipeline.postprocessing == [.largestComponent(labels: [])])
        #expect(pipeline.results.map(\.file) == ["mask.nii.gz", "overlay.png", "measures.csv", "measures.json"])
    }

    /// Every whole pipeline in the documentation can be read, and every field is described there.
    @Test func documentation() throws {
        let text = repositoryText("Docs/Pipelines.md")
        var blocks: [String] = []
        var block: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```yaml" {
                block = ""
            } else if line == "```", let whole = block {
                blocks.append(whole)
                block = nil
            } else {
                block? += line + "\n"
            }
        }
        let whole = blocks.filter { $0.hasPrefix("name:") }
        #expect(whole.count >= 3)
        for pipeline in whole { #expect(problems(pipeline) == [], "\(pipeline)") }
        var full = Pipeline(
            name: "x",
            input: .init(
                name: "x", channels: [.init(name: "a", component: 1, intensity: [.linear(factor: 2, offset: 0)])]))
        full.output.detection = .init(boxes: "a", scores: "b", classes: "c")
        full.labels = [.init(value: 1, name: "a")]
        full.postprocessing = [.minimumVolume(cubicMillimetres: 1, labels: [1])]
        full.results = [.init(.image, "a")]
        full.tiling.scheme = .monai
        for line in full.text().split(separator: "\n") {
            let key = line.drop { " -#{".contains($0) }.prefix { $0 != ":" }
            if line.contains(":"), !key.contains(" "), !key.isEmpty {
                #expect(text.contains("`\(key)`"), "\(key) is not described")
            }
        }
        for name in Pipeline.IntensityStep.names { #expect(text.contains("`\(name)`"), "\(name) is not described") }
    }
}
