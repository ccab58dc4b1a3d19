package curves

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"

	xfont "golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"github.com/go-lxmert/lxmert/internal/typeface"
)

// sharpness is how many pixels of a PNG one of the canvas's is each way: as many as fine screens have.
const sharpness = 2

// raster is a canvas of pixels.
type raster struct {
	picture *image.RGBA
	fonts   *typeface.Faces
}

// writePNG makes a picture of what paint draws.
func writePNG(w io.Writer, f *typeface.Faces, height float64, paint func(canvas)) error {
	r := &raster{image.NewRGBA(image.Rect(0, 0, width*sharpness, int(math.Ceil(height*sharpness)))), f}
	draw.Draw(r.picture, r.picture.Bounds(), image.White, image.Point{}, draw.Src)
	paint(r)
	return png.Encode(w, r.picture)
}

// line fills a rectangle along each stretch and a disc at each point; where these overlap they count once.
func (r *raster) line(points []point, p pen, within rect) {
	area := image.Rect(int(math.Floor(within.left*sharpness)), int(math.Floor(within.top*sharpness)),
		int(math.Ceil(within.right*sharpness)), int(math.Ceil(within.bottom*sharpness))).Intersect(r.picture.Bounds())
	half := p.width * sharpness / 2
	fill := vector.NewRasterizer(area.Dx(), area.Dy())
	at := func(i int) point {
		return point{points[i].x*sharpness - float64(area.Min.X), points[i].y*sharpness - float64(area.Min.Y)}
	}
	for i := range points {
		a := at(i)
		if i > 0 && half > 0.75 { // thinner ones need no joint
			disc(fill, a, half)
		}
		if i+1 < len(points) {
			b := at(i + 1)
			length := math.Hypot(b.x-a.x, b.y-a.y)
			if length == 0 {
				continue
			}
			across := point{-(b.y - a.y) / length * half, (b.x - a.x) / length * half}
			polygon(fill, point{a.x - across.x, a.y - across.y}, point{b.x - across.x, b.y - across.y},
				point{b.x + across.x, b.y + across.y}, point{a.x + across.x, a.y + across.y})
		}
	}
	fill.Draw(r.picture, area, image.NewUniform(transparent(p.color, p.opacity)), image.Point{})
}

func (r *raster) ring(at point, radius float64, p pen) {
	reach := int(math.Ceil((radius + p.width) * sharpness))
	x, y := at.x*sharpness, at.y*sharpness
	area := image.Rect(int(x)-reach, int(y)-reach, int(x)+reach+1, int(y)+reach+1)
	for _, circle := range []struct {
		radius float64
		color  color.Color
	}{{radius + p.width/2, p.color}, {radius - p.width/2, color.White}} {
		fill := vector.NewRasterizer(area.Dx(), area.Dy())
		disc(fill, point{x - float64(area.Min.X), y - float64(area.Min.Y)}, circle.radius*sharpness)
		fill.Draw(r.picture, area, image.NewUniform(circle.color), image.Point{})
	}
}

func (r *raster) text(at point, anchor float64, f font, text string) {
	face := r.fonts.Face(f.size*sharpness, f.bold)
	d := xfont.Drawer{Dst: r.picture, Src: image.NewUniform(f.color), Face: face,
		Dot: fixed.Point26_6{X: fixed.Int26_6(at.x * sharpness * 64), Y: fixed.Int26_6(at.y * sharpness * 64)}}
	d.Dot.X -= fixed.Int26_6(float64(d.MeasureString(text)) * anchor)
	d.DrawString(text)
}

// disc and polygon turn the same way, so that overlaps do not cancel.
func disc(fill *vector.Rasterizer, at point, radius float64) {
	const corners = 16
	var around [corners]point
	for i := range around {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		around[i] = point{at.x + radius*cos, at.y + radius*sin}
	}
	polygon(fill, around[:]...)
}

func polygon(fill *vector.Rasterizer, corners ...point) {
	fill.MoveTo(float32(corners[0].x), float32(corners[0].y))
	for _, c := range corners[1:] {
		fill.LineTo(float32(c.x), float32(c.y))
	}
	fill.ClosePath()
}

func transparent(c color.RGBA, opacity float64) color.Color {
	return color.NRGBA{c.R, c.G, c.B, uint8(math.Round(opacity * 255))}
}

// textWidth is that of a text in the canvas's pixels.
func textWidth(f *typeface.Faces, size float64, bold bool, text string) float64 {
	return f.Width(size*sharpness, bold, text) / sharpness
}
