/// A diagram of times over a number, as SVG that is legible on light and on dark ground.
struct Plot {
  struct Line {
    let name: String
    var points: [(x: Double, series: Series)] = []
  }
  let title: String
  let axis: String
  /// Whether times are drawn by their orders of magnitude.
  let isLogarithmic: Bool
  var lines: [Line]

  private let width = 720.0
  private let height = 400.0
  private let left = 64.0
  private let top = 48.0
  private var right: Double { width - 24 }
  private var bottom: Double { height - 56 }
  private static let colors = ["#2f7ed8", "#d8752f", "#3a9c5b"]

  init(_ title: String, over axis: String, isLogarithmic: Bool = false, _ names: String...) {
    self.title = title
    self.axis = axis
    self.isLogarithmic = isLogarithmic
    lines = names.map { Line(name: $0) }
  }

  var svg: String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(Int(height))" \
    font-family="sans-serif" font-size="12">
    <style>text { fill: #333 } .grid { stroke: #8884; fill: none } .ground { fill: #fff }
    @media (prefers-color-scheme: dark) { text { fill: #ddd } .ground { fill: #0d1117 } }</style>
    <rect class="ground" width="100%" height="100%"/>
    <text x="\(left)" y="22" font-size="15">\(title)</text>
    \(grid)\(curves)
    <text x="\((left + right) / 2)" y="\(height - 12)" text-anchor="middle">\(axis)</text>
    </svg>

    """
  }

  private var greatestX: Double { lines.flatMap { $0.points.map(\.x) }.max() ?? 1 }
  private var times: [Double] {
    lines.flatMap { $0.points.flatMap { [$0.series.quantile(0.25), $0.series.quantile(0.75)] } }
  }

  /// Values of the upright axis that have a line.
  private var ticks: [Double] {
    let greatest = times.max() ?? 1
    if isLogarithmic {
      var tick = 1000.0
      while tick > max(times.min() ?? 1, 0.001) { tick /= 10 }
      var ticks = [tick]
      while tick < greatest {
        tick *= 10
        ticks.append(tick)
      }
      return ticks
    }
    let step = Self.step(greatest)
    return (0...Int((greatest / step).rounded(.up))).map { Double($0) * step }
  }

  /// 1, 2 or 5 and zeros, so that there are four to ten of it in `greatest`.
  private static func step(_ greatest: Double) -> Double {
    var step = 1000_000.0
    while true {
      for factor in [1, 0.5, 0.2] where greatest / (step * factor) >= 4 { return step * factor }
      step /= 10
      if step < 1e-6 { return 1 }
    }
  }

  private func x(_ value: Double) -> Double { left + (right - left) * value / greatestX }
  private func y(_ value: Double) -> Double {
    let ticks = ticks
    guard let first = ticks.first, let last = ticks.last, last > first else { return bottom }
    let share =
      isLogarithmic
      ? Self.magnitude(max(value, first) / first) / Self.magnitude(last / first)
      : value / last
    return bottom - (bottom - top) * share
  }

  /// The logarithm to base 2, whose fraction comes bit by bit from squaring the significand.
  private static func magnitude(_ value: Double) -> Double {
    var exponent = Double(value.exponent)
    var rest = value.significand
    var weight = 0.5
    for _ in 0..<24 {
      rest *= rest
      if rest >= 2 {
        rest /= 2
        exponent += weight
      }
      weight /= 2
    }
    return exponent
  }

  private var grid: String {
    var text = ""
    for tick in ticks {
      let y = y(tick).rounded(1)
      let label = tick >= 1 ? tick.rounded(0) : tick.rounded(2)
      text += "<path class=\"grid\" d=\"M\(left) \(y)H\(right)\"/>"
      text += "<text x=\"\(left - 6)\" y=\"\(y)\" dy=\"4\" text-anchor=\"end\">\(label) ms</text>\n"
    }
    let step = Self.step(greatestX)
    for index in 0...Int(greatestX / step) {
      let value = Double(index) * step
      let x = x(value).rounded(1)
      text += "<path class=\"grid\" d=\"M\(x) \(bottom)v5\"/>"
      text += "<text x=\"\(x)\" y=\"\(bottom + 20)\" text-anchor=\"middle\">"
      text += value.rounded(0) + "</text>\n"
    }
    return text
  }

  private var curves: String {
    var text = ""
    for (index, line) in lines.enumerated() {
      let color = Self.colors[index % Self.colors.count]
      let points = line.points.map { "\(x($0.x).rounded(1)),\(y($0.series.median).rounded(1))" }
      text += "<g stroke=\"\(color)\" fill=\"none\" stroke-width=\"2\">"
      text += "<polyline points=\"\(points.joined(separator: " "))\"/>"
      for point in line.points {
        let (low, high) = (point.series.quantile(0.25), point.series.quantile(0.75))
        text += "<path stroke-width=\"1\" d=\"M\(x(point.x).rounded(1)) "
        text += "\(y(low).rounded(1))V\(y(high).rounded(1))\"/>"
        text +=
          "<circle cx=\"\(x(point.x).rounded(1))\" cy=\"\(y(point.series.median).rounded(1))\""
        text += " r=\"3\" fill=\"\(color)\"/>"
      }
      let place = left + 8 + Double(index) * 200
      text += "<path d=\"M\(place) \(top - 10)h20\"/></g>\n"
      text += "<text x=\"\(place + 26)\" y=\"\(top - 6)\">\(line.name)</text>\n"
    }
    return text
  }
}
