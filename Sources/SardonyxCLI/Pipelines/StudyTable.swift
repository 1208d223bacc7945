import SardonyxImaging
import SardonyxPipelines

/// What studies gave, a line each.
struct StudyTable {
    private let reports: [StudyReport]
    private let pipeline: Pipeline

    init(_ reports: [StudyReport], _ pipeline: Pipeline) {
        self.reports = reports
        self.pipeline = pipeline
    }

    /// The lines, with a heading.
    var text: String {
        let rows = [["study", "result", "seconds"]] + reports.map { [$0.study.name, result($0), seconds($0)] }
        let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            [
                row[0].padded(to: widths[0]), row[1].padded(to: widths[1]), row[2].leftPadded(to: widths[2]),
            ].joined(separator: "  ")
        }.joined(separator: "\n")
    }

    private func seconds(_ report: StudyReport) -> String {
        report.failure != nil || report.wasDone ? "" : fixed(report.seconds, 2)
    }

    private func result(_ report: StudyReport) -> String {
        if let failure = report.failure { return "failed: \(failure)" }
        if report.wasDone { return "done before" }
        return StudyTable.findings(report, pipeline).joined(separator: "; ")
    }

    /// The study's labels with their volumes, its most probable classes, or its boxes.
    static func findings(_ report: StudyReport, _ pipeline: Pipeline) -> [String] {
        switch pipeline.task {
        case .segmentation:
            if report.regions.isEmpty { return ["nothing found"] }
            return report.regions.filter { $0.component == nil }.map { region in
                let name = pipeline.labels.first { $0.value == Int(region.label) }?.name ?? "label \(region.label)"
                return "\("\(name) volume".padded(to: 12))  \(fixed(region.millilitres, 1)) mL"
            }
        case .classification:
            return report.classes.prefix(3).map { "\($0.name) \(fixed($0.probability * 100, 1)) %" }
        case .detection:
            if report.boxes.isEmpty { return ["nothing found"] }
            return report.boxes.prefix(5).map { box in
                func corner(_ v: SIMD3<Double>) -> String { "(\(fixed(v.x, 1)), \(fixed(v.y, 1)))" }
                return "\(box.name) \(fixed(box.score * 100, 1)) % from \(corner(box.lower)) to \(corner(box.upper))"
            }
        case .reconstruction: return ["reconstructed"]
        }
    }
}

/// Progress over studies, with the time left.
struct StudyBar {
    private let count: Int
    private let began = Process.now
    private var bar = ProgressBar()

    init(_ count: Int) { self.count = count }

    mutating func show(_ index: Int, _ name: String, _ stage: String, _ done: Double) {
        let share = (Double(index) + done) / Double(count)
        let passed = Double(Process.now - began) / 1e9
        var text = count > 1 ? "\(index + 1) of \(count), \(name): \(stage)" : stage
        if share > 0.02, passed > 2 {
            let left = Int((passed / share - passed).rounded(.up))
            text += left >= 60 ? ", \(left / 60) min \(left % 60) s left" : ", \(left) s left"
        }
        bar.show(share, text)
    }

    func end() { bar.end() }
}
