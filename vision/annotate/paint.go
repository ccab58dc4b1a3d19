package annotate

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"

	"github.com/go-lxmert/lxmert/internal/okabeito"
)

// dark is what parts colours from the picture.
var dark = color.NRGBA{0, 0, 0, 190}

// frame draws a box's line within it, between two dark ones, of which the outer is outside.
func (m measures) frame(picture *image.RGBA, box image.Rectangle, c color.Color) {
	line := min(m.line, max(1, min(box.Dx(), box.Dy())/4)) // so that something is seen of what is in it
	edge := min(m.edge(), line)
	border(picture, box.Inset(-edge), edge, dark)
	border(picture, box, line, c)
	border(picture, box.Inset(line), edge, dark)
}

// border fills what lies within width of a rectangle's edge.
func border(picture *image.RGBA, r image.Rectangle, width int, c color.Color) {
	inner := r.Inset(width)
	if inner.Empty() {
		fill(picture, r, c)
		return
	}
	fill(picture, image.Rect(r.Min.X, r.Min.Y, r.Max.X, inner.Min.Y), c)
	fill(picture, image.Rect(r.Min.X, inner.Max.Y, r.Max.X, r.Max.Y), c)
	fill(picture, image.Rect(r.Min.X, inner.Min.Y, inner.Min.X, inner.Max.Y), c)
	fill(picture, image.Rect(inner.Max.X, inner.Min.Y, r.Max.X, inner.Max.Y), c)
}

func fill(picture *image.RGBA, r image.Rectangle, c color.Color) {
	draw.Draw(picture, r, image.NewUniform(c), image.Point{}, draw.Over)
}

// plate draws a plate.
func (m measures) plate(picture *image.RGBA, p plate, c color.RGBA) {
	fill(picture, p.at, okabeito.Black)
	fill(picture, p.at.Inset(1), c)
	m.write(picture, p.at.Min.Add(image.Pt(1, 1)).Add(m.padding), p.text, Ink(c))
}

// write draws a text whose upper left corner is at.
func (m measures) write(picture *image.RGBA, at image.Point, text string, c color.Color) {
	d := font.Drawer{Dst: picture, Src: image.NewUniform(c), Face: m.faces.Face(m.font, bold), Dot: fixed.P(at.X, at.Y+m.ascent)}
	d.DrawString(text)
}
