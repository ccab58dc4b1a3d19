package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
)

// A panel is one plot by batch size.
type panel struct {
	title  string
	scale  scale // of the vertical axis
	series []series
}

type scale struct {
	low, high   float64
	logarithmic bool
	ticks       []float64
}

// A series is a line with its name at its end; class is its colour's.
type series struct {
	name, class string
	points      []point
}

type point struct{ x, y float64 }

// The picture: two panels beside each other, with room for titles above, batch sizes below and names at the right of each.
const (
	width, height            = 860.0, 340.0
	left, right, top, bottom = 46.0, 74.0, 44.0, 52.0
	panelWidth               = width / 2
)

// style has colours for light and for dark surroundings; the background is whatever is behind, but for a seam around numbers, which
// keeps them apart from lines.
const style = `
text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #57606a; }
.title { font-size: 14px; font-weight: 600; fill: #24292f; }
.value { font-size: 11px; stroke: #fff; stroke-width: 4px; stroke-linejoin: round; paint-order: stroke; }
.name { font-weight: 600; }
.grid { stroke: #8c959f; stroke-opacity: .3; }
polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
polyline.one { stroke: #bc4c00; } circle.one, text.one { fill: #bc4c00; }
polyline.two { stroke: #0969da; } circle.two, text.two { fill: #0969da; }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1; }
.title { fill: #e6edf3; }
.value { stroke: #0d1117; }
polyline.one { stroke: #ffa657; } circle.one, text.one { fill: #ffa657; }
polyline.two { stroke: #6cb6ff; } circle.two, text.two { fill: #6cb6ff; }
}
`

// draw makes the picture.
func draw(panels [2]panel) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %v %v\" role=\"img\" aria-label=\"%s; %s\">\n<style>%s</style>\n",
		width, height, panels[0].title, panels[1].title, style)
	for i, p := range panels {
		fmt.Fprintf(&b, "<g transform=\"translate(%v 0)\">\n", float64(i)*panelWidth)
		p.draw(&b)
		fmt.Fprintln(&b, "</g>")
	}
	fmt.Fprintln(&b, "</svg>")
	return b.Bytes()
}

func (p *panel) draw(b *bytes.Buffer) {
	text := func(class string, x, y float64, anchor, text string) {
		fmt.Fprintf(b, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", class, x, y, anchor, text)
	}
	const end = panelWidth - right
	text("title", left, 22, "start", p.title)
	for _, tick := range p.scale.ticks {
		y := p.scale.at(tick)
		fmt.Fprintf(b, "<line class=\"grid\" x1=\"%v\" x2=\"%v\" y1=\"%.1f\" y2=\"%.1f\"/>\n", left, end, y, y)
		text("tick", left-8, y+4, "end", fmt.Sprint(tick))
	}
	for batch := 1.0; batch <= 32; batch *= 2 {
		text("tick", horizontal(batch), height-bottom+20, "middle", fmt.Sprint(batch))
	}
	text("tick", (left+end)/2, height-bottom+42, "middle", "questions in a batch")
	for _, s := range p.series {
		fmt.Fprintf(b, "<polyline class=\"%s\" points=\"", s.class)
		for _, at := range s.points {
			fmt.Fprintf(b, "%.1f,%.1f ", horizontal(at.x), p.scale.at(at.y))
		}
		fmt.Fprintln(b, "\"/>")
		for _, at := range s.points {
			x, y := horizontal(at.x), p.scale.at(at.y)
			fmt.Fprintf(b, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", s.class, x, y)
			if p.upper(s, at) {
				y -= 9
			} else {
				y += 18
			}
			text("value", x, y, "middle", fmt.Sprintf("%.0f", at.y))
		}
		if n := len(s.points); n > 0 {
			text("name "+s.class, end+4, p.nameAt(s, s.points[n-1])+4, "start", s.name)
		}
	}
}

// upper tells whether a point lies above the other series' at the same batch size: its number then stands above it, else below.
func (p *panel) upper(own series, at point) bool {
	for _, other := range p.series {
		i := slices.IndexFunc(other.points, func(o point) bool { return o.x == at.x })
		if other.class != own.class && i >= 0 && other.points[i].y > at.y {
			return false
		}
	}
	return true
}

// nameAt is where a series' name stands: at its last point, but a line away from the other's.
func (p *panel) nameAt(own series, last point) float64 {
	const line = 16
	at := p.scale.at(last.y)
	for _, other := range p.series {
		if n := len(other.points); n > 0 && other.class != own.class {
			middle := (at + p.scale.at(other.points[n-1].y)) / 2
			if p.upper(own, last) {
				at = min(at, middle-line/2)
			} else {
				at = max(at, middle+line/2)
			}
		}
	}
	return at
}

// horizontal is where a batch size stands: each doubling is a step.
func horizontal(batch float64) float64 {
	const from, to = left + 18, panelWidth - right - 18
	return from + (to-from)*math.Log2(batch)/5
}

// at is where a value stands.
func (s *scale) at(value float64) float64 {
	share := (value - s.low) / (s.high - s.low)
	if s.logarithmic {
		share = math.Log(value/s.low) / math.Log(s.high/s.low)
	}
	return height - bottom - share*(height-top-bottom)
}
