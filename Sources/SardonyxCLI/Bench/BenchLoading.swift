import Sardonyx
import SardonyxLoading

/// What opening a model takes, apart from running it.
struct BenchLoading {
    /// Milliseconds of the first opening in this process.
    let first: Double
    /// Milliseconds of that and of the first session with its plan and packed weights; why there is none where the shapes
    /// or the memory budget allow no run.
    let ready: Result<Double, SardonyxError>
    /// Milliseconds, the least of all.
    let reader: Double
    let open: Double
    let session: Double
    /// Resident memory in MB: before anything was opened, and how much more with the model open.
    let baseMegabytes: Double
    let openMegabytes: Double

    private static let repetitions = 9

    /// - Parameter shapes: the given ones, for what the model leaves open.
    init(path: String, options: Session.Options, shapes: (Model) throws -> [String: [Int]]) throws {
        func milliseconds(_ body: () throws -> Void) rethrows -> Double {
            let start = Process.now
            try body()
            return Double(Process.now - start) / 1e6
        }
        baseMegabytes = Process.residentMegabytes
        var model: Model?
        first = try milliseconds { model = try Model(contentsOf: path) }
        openMegabytes = Process.residentMegabytes - baseMegabytes
        guard let model else { preconditionFailure("the model was opened above") }
        let given = try shapes(model)
        do {
            var prepared: (session: Session, plan: PlanSummary)?
            let time = try milliseconds {
                let session = try Session(model, options: options)
                prepared = (session, try session.plan(for: model.defaultShapes(given)))
            }
            let need = prepared?.plan.peakMemory.byteCount ?? 0
            if let budget = options.memoryBudget.byteCount, need > budget {
                throw SardonyxError(.memory, "a run needs \(need) bytes, and the budget is \(budget)")
            }
            ready = .success(first + time)
        } catch var error as SardonyxError {
            if error.code != .memory, let advice = model.shapeAdvice(given) { error.message += "; \(advice)" }
            ready = .failure(error)
        }
        func least(_ body: () throws -> Void) rethrows -> Double {
            var best = try milliseconds(body)
            for _ in 1..<Self.repetitions { best = min(best, try milliseconds(body)) }
            return best
        }
        reader = try least { try ModelLoader.walk(path: path) }
        var opened: [Model] = []
        // Freeing a model is no part of opening the next.
        open = try least { opened.append(try Model(contentsOf: path)) }
        var sessions: [Session] = []
        // Sessions of one model share its passes' work: each time another model's.
        session =
            try opened.map { model in try milliseconds { sessions.append(try Session(model, options: options)) } }.min()
            ?? 0
    }

    var figures: [(key: String, value: JSON)] {
        [
            ("reader_ms", .number(reader)), ("open_ms", .number(open)), ("first_ms", .number(first)),
            ("session_ms", .number(session)), ("base_mb", .number(baseMegabytes)), ("open_mb", .number(openMegabytes)),
        ] + ((try? ready.get()).map { [("ready_ms", .number($0))] } ?? [])
    }

    var text: String {
        let ready =
            switch ready {
            case .success(let time): "\(fixed(time)) ms from the file to packed weights, the first time"
            case .failure(let error): "none: \(error)"
            }
        return """
            reader  \(fixed(reader)) ms, the file's structure alone
            open    \(fixed(open)) ms with all checks; the first time \(fixed(first)) ms
            session \(fixed(session)) ms: types, folding and passes, without a plan
            memory  \(fixed(openMegabytes, 1)) MB more than the \(fixed(baseMegabytes, 1)) MB before the model was opened
            ready   \(ready)
            """
    }
}
