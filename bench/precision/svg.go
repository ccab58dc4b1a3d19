package main

import (
	"bytes"
	"fmt"
	"math"

	"github.com/go-lxmert/lxmert/model"
)

// A panel is the errors of one model.
type panel struct {
	title  string
	layers layers
}

// The picture: two panels below each other, errors on a logarithmic axis.
const (
	width, panelHeight       = 860.0, 250.0
	left, right, top, bottom = 56.0, 60.0, 40.0, 34.0
	low, high                = 1e-4, 1e-1
)

const style = `
text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #57606a; }
.title { font-size: 14px; font-weight: 600; fill: #24292f; }
.name { font-weight: 600; }
.grid { stroke: #8c959f; stroke-opacity: .3; }
polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
.bf16 { stroke: #0969da; } text.bf16, circle.bf16 { fill: #0969da; stroke: none; }
.int8 { stroke: #bc4c00; } text.int8, circle.int8 { fill: #bc4c00; stroke: none; }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1; }
.title { fill: #e6edf3; }
.bf16 { stroke: #6cb6ff; } text.bf16, circle.bf16 { fill: #6cb6ff; }
.int8 { stroke: #ffa657; } text.int8, circle.int8 { fill: #ffa657; }
}
`

// draw makes the picture.
func draw(panels []panel) []byte {
	var b bytes.Buffer
	height := panelHeight * float64(len(panels))
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"errors of hidden states, layer by layer\">\n<style>%s</style>\n", width, height, style)
	for i, p := range panels {
		p.draw(&b, float64(i)*panelHeight)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (p panel) draw(b *bytes.Buffer, y0 float64) {
	y := func(v float64) float64 {
		share := math.Log(min(max(v, low), high)/low) / math.Log(high/low)
		return y0 + panelHeight - bottom - share*(panelHeight-top-bottom)
	}
	x := func(i int) float64 {
		return left + float64(i)*(width-left-right)/float64(max(1, len(p.layers.names)-1))
	}
	fmt.Fprintf(b, "<text class=\"title\" x=\"%g\" y=\"%g\">%s: error as a share of the hidden states</text>\n", left, y0+20, p.title)
	for tick := low; tick <= high*1.01; tick *= 10 {
		fmt.Fprintf(b, "<line class=\"grid\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%g %%</text>\n",
			left, width-right, y(tick), y(tick), left-8, y(tick)+4, math.Round(tick*1e6)/1e4)
	}
	for i, name := range p.layers.names {
		fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", x(i), y0+panelHeight-bottom+18, name)
	}
	for _, precision := range []model.Precision{model.BFloat16, model.Int8} {
		errors := p.layers.errors[precision]
		fmt.Fprintf(b, "<polyline class=\"%s\" points=\"", precision)
		for i, v := range errors {
			fmt.Fprintf(b, "%.1f,%.1f ", x(i), y(v))
		}
		b.WriteString("\"/>\n")
		for i, v := range errors {
			fmt.Fprintf(b, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>%s: %.3f %%</title></circle>\n", precision, x(i), y(v), p.layers.names[i], 100*v)
		}
		last := len(errors) - 1
		fmt.Fprintf(b, "<text class=\"name %s\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", precision, x(last)+8, y(errors[last])+4, precision)
	}
}
