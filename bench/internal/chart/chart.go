// Package chart draws the plots of the documentation: lines over an axis, in panels, as an SVG that suits light and dark surroundings.
package chart

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// A Chart is a picture of panels, so many beside each other.
type Chart struct {
	Columns int     // 1 to 3
	Height  float64 // of a panel, in pixels
	Panels  []Panel
}

// A Panel is one plot.
type Panel struct {
	Title  string
	X, Y   Axis
	Series []Series
}

// An Axis goes from Low to High; on a logarithmic one both are above 0.
type Axis struct {
	Name        string // written beside it; may be ""
	Low, High   float64
	Logarithmic bool
	Ticks       []Tick
}

// A Tick is a number on an axis.
type Tick struct {
	At    float64
	Label string
}

// Ticks are numbers labelled as they are, with a unit behind them.
func Ticks(unit string, at ...float64) []Tick {
	ticks := make([]Tick, len(at))
	for i, v := range at {
		ticks[i] = Tick{v, fmt.Sprint(v) + unit}
	}
	return ticks
}

// A Series is a line with its name at its end.
type Series struct {
	Name   string
	Color  Color
	Points []Point
	// Value, unless nil, is written beside each point: above those of the line that is higher there, else below.
	Value func(Point) string
}

// A Point is in the units of the axes. Name is shown under the mouse.
type Point struct {
	X, Y float64
	Name string
}

// Color is a line's.
type Color int

// The colours: those of Okabe and Ito that are far from each other on white and on black.
const (
	Blue Color = iota
	Orange
	Green
	Purple
)

// Width of a picture, and the room in each panel for what stands around the lines.
const (
	width                    = 860.0
	left, right, top, bottom = 58.0, 76.0, 44.0, 52.0
)

// The background is whatever is behind, but for a seam around values, which keeps them apart from lines.
const style = `
text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #57606a; }
.title { font-size: 14px; font-weight: 600; fill: #24292f; }
.value { font-size: 11px; stroke: #fff; stroke-width: 4px; stroke-linejoin: round; paint-order: stroke; }
.name { font-weight: 600; }
.grid { stroke: #8c959f; stroke-opacity: .3; }
polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
polyline.c0 { stroke: #0969da; } circle.c0, text.c0 { fill: #0969da; }
polyline.c1 { stroke: #bc4c00; } circle.c1, text.c1 { fill: #bc4c00; }
polyline.c2 { stroke: #1a7f37; } circle.c2, text.c2 { fill: #1a7f37; }
polyline.c3 { stroke: #8250df; } circle.c3, text.c3 { fill: #8250df; }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1; }
.title { fill: #e6edf3; }
.value { stroke: #0d1117; }
polyline.c0 { stroke: #6cb6ff; } circle.c0, text.c0 { fill: #6cb6ff; }
polyline.c1 { stroke: #ffa657; } circle.c1, text.c1 { fill: #ffa657; }
polyline.c2 { stroke: #57ab5a; } circle.c2, text.c2 { fill: #57ab5a; }
polyline.c3 { stroke: #dcbdfb; } circle.c3, text.c3 { fill: #dcbdfb; }
}
`

// SVG draws the chart.
func (c Chart) SVG() []byte {
	var b bytes.Buffer
	titles := make([]string, len(c.Panels))
	for i, p := range c.Panels {
		titles[i] = p.Title
	}
	rows := (len(c.Panels) + c.Columns - 1) / c.Columns
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %v %v\" role=\"img\" aria-label=\"%s\">\n<style>%s</style>\n",
		width, c.Height*float64(rows), html.EscapeString(strings.Join(titles, "; ")), style)
	for i, p := range c.Panels {
		x, y := width/float64(c.Columns)*float64(i%c.Columns), c.Height*float64(i/c.Columns)
		fmt.Fprintf(&b, "<g transform=\"translate(%.0f %.0f)\">\n", x, y)
		(&drawing{&b, p, width / float64(c.Columns), c.Height}).draw()
		fmt.Fprintln(&b, "</g>")
	}
	fmt.Fprintln(&b, "</svg>")
	return b.Bytes()
}

// A drawing is a panel on its way into a picture.
type drawing struct {
	to *bytes.Buffer
	Panel
	width, height float64
}

func (d *drawing) text(class string, x, y float64, anchor, text string) {
	fmt.Fprintf(d.to, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", class, x, y, anchor, html.EscapeString(text))
}

func (d *drawing) draw() {
	end := d.width - right
	d.text("title", left, 22, "start", d.Title)
	for _, tick := range d.Y.Ticks {
		y := d.y(tick.At)
		fmt.Fprintf(d.to, "<line class=\"grid\" x1=\"%v\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", left, end, y, y)
		d.text("tick", left-8, y+4, "end", tick.Label)
	}
	for _, tick := range d.X.Ticks {
		d.text("tick", d.x(tick.At), d.height-bottom+20, "middle", tick.Label)
	}
	d.text("tick", (left+end)/2, d.height-bottom+42, "middle", d.X.Name)
	names := d.names()
	for i, s := range d.Series {
		d.line(s)
		if len(s.Points) > 0 {
			d.text(fmt.Sprintf("name c%d", s.Color), end-12, names[i]+4, "start", s.Name)
		}
	}
}

// line draws a series.
func (d *drawing) line(s Series) {
	fmt.Fprintf(d.to, "<polyline class=\"c%d\" points=\"", s.Color)
	for _, at := range s.Points {
		fmt.Fprintf(d.to, "%.1f,%.1f ", d.x(at.X), d.y(at.Y))
	}
	fmt.Fprintln(d.to, "\"/>")
	for _, at := range s.Points {
		x, y := d.x(at.X), d.y(at.Y)
		fmt.Fprintf(d.to, "<circle class=\"c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\">", s.Color, x, y)
		if at.Name != "" {
			fmt.Fprintf(d.to, "<title>%s</title>", html.EscapeString(at.Name))
		}
		fmt.Fprintln(d.to, "</circle>")
		if s.Value == nil {
			continue
		}
		if d.upper(s, at) {
			y -= 9
		} else {
			y += 18
		}
		d.text("value", x, y, "middle", s.Value(at))
	}
}

// upper tells whether a point lies above the other series' at the same place.
func (d *drawing) upper(own Series, at Point) bool {
	for _, other := range d.Series {
		i := slices.IndexFunc(other.Points, func(o Point) bool { return o.X == at.X })
		if other.Name != own.Name && i >= 0 && other.Points[i].Y > at.Y {
			return false
		}
	}
	return true
}

// names are where the series' names stand: at their last points, but a line apart.
func (d *drawing) names() []float64 {
	const apart = 15
	y := make([]float64, len(d.Series))
	order := make([]int, len(d.Series))
	for i, s := range d.Series {
		order[i] = i
		if n := len(s.Points); n > 0 {
			y[i] = d.y(s.Points[n-1].Y)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(y[a], y[b]) })
	for range order { // each round moves neighbours that are too near away from each other
		for i := range len(order) - 1 {
			upper, lower := order[i], order[i+1]
			if near := apart - (y[lower] - y[upper]); near > 0 {
				y[upper], y[lower] = y[upper]-near/2, y[lower]+near/2
			}
		}
	}
	return y
}

// x and y are places in the panel.
func (d *drawing) x(v float64) float64 {
	const inset = 18
	return left + inset + d.X.share(v)*(d.width-right-left-2*inset)
}

func (d *drawing) y(v float64) float64 {
	return d.height - bottom - d.Y.share(v)*(d.height-top-bottom)
}

// share is how far along the axis a value is; what lies beyond its ends is at them.
func (a Axis) share(v float64) float64 {
	v = min(max(v, a.Low), a.High)
	if a.Logarithmic {
		return math.Log(v/a.Low) / math.Log(a.High/a.Low)
	}
	return (v - a.Low) / (a.High - a.Low)
}
