package show

import (
	"context"
	"image"
	"image/color"
	"image/draw"
	"math"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"github.com/go-lxmert/lxmert/explain"
	"github.com/go-lxmert/lxmert/internal/typeface"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/annotate"
)

// A card's colours.
var (
	ground  = color.RGBA{0x17, 0x19, 0x1e, 255}
	letters = color.RGBA{0xec, 0xed, 0xef, 255}
	muted   = color.RGBA{0x9d, 0xa3, 0xad, 255}
	track   = color.RGBA{0x2a, 0x2e, 0x36, 255}
)

// Draw draws an explanation on its picture: above it the question, each word on its shade; the picture, dark where nothing has counted, and the regions
// that counted most in boxes, with names and scores; below it the answers and the scale. The same input gives the same pixels.
//
// A picture larger than o.Longest is shrunk, a small one enlarged by a whole number. The error is ctx's, or says that img has no pixels or too many
// ([vision.MaxPixels]), or that explanation and regions do not belong together.
func Draw(ctx context.Context, img image.Image, r vision.Regions, e *explain.Explanation, o Options) (*image.RGBA, error) {
	if err := check(e, r); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	var marks []annotate.Mark
	for _, region := range e.TopRegions(o.Top) {
		shade := float64(e.RegionShades[region])
		if shade < leastMarked {
			break
		}
		marks = append(marks, annotate.Mark{
			Region: region, Text: o.name(r, region) + " " + score(e.RegionScores[region]), Color: shadeColor(0.35 + 0.65*shade),
		})
	}
	seen, err := annotate.DrawMarks(ctx, img, r, marks, o.Longest, func(picture *image.RGBA) { light(picture, r, e.RegionShades) })
	if err != nil {
		return nil, err
	}
	faces, err := typeface.New()
	if err != nil {
		return nil, err
	}
	c := newCard(faces, seen.Picture.Rect.Dx())
	question := c.question(e)
	answers := c.answers(e, o.Answers)
	picture := c.picture(seen.Picture)
	if o.Note == "" {
		return c.stack(question, picture, answers), ctx.Err()
	}
	return c.stack(question, picture, answers, c.note(o.Note)), ctx.Err()
}

// leastMarked is the shade from which on a region gets a box: one that lies in the dark says nothing.
const leastMarked = 0.1

// card is what the parts of a drawing have in common, in pixels.
type card struct {
	faces  *typeface.Faces
	width  int     // of all
	em     float64 // of text
	margin int
}

// leastWidth of a card leaves room for a question and the answers.
const leastWidth = 480

func newCard(faces *typeface.Faces, picture int) *card {
	em := math.Round(min(max(float64(picture)/38, 15), 26))
	margin := int(em)
	return &card{faces, max(picture+2*margin, leastWidth), em, margin}
}

// A part is a piece of a card: how high it is, and what paints it from a line on.
type part struct {
	height int
	paint  func(to *image.RGBA, top int)
}

// stack puts parts below each other.
func (c *card) stack(parts ...part) *image.RGBA {
	height := c.margin
	for _, p := range parts {
		height += p.height + c.margin
	}
	out := image.NewRGBA(image.Rect(0, 0, c.width, height))
	draw.Draw(out, out.Rect, image.NewUniform(ground), image.Point{}, draw.Src)
	top := c.margin
	for _, p := range parts {
		p.paint(out, top)
		top += p.height + c.margin
	}
	return out
}

// picture stands in the middle.
func (c *card) picture(img *image.RGBA) part {
	return part{img.Rect.Dy(), func(to *image.RGBA, top int) {
		left := (c.width - img.Rect.Dx()) / 2
		draw.Draw(to, img.Rect.Add(image.Pt(left, top)), img, image.Point{}, draw.Src)
	}}
}

// question is its words, each on its shade, in as many lines as it takes.
func (c *card) question(e *explain.Explanation) part {
	const bold = true
	em := 1.25 * c.em
	pad, height := int(0.35*em), int(1.7*em)
	type chip struct {
		at    image.Rectangle
		text  string
		shade float64
	}
	var chips []chip
	x, y := c.margin, 0
	for _, w := range Words(e) {
		text := c.faces.Shorten(em, bold, w.Text, float64(c.width-2*c.margin-2*pad))
		width := int(math.Ceil(c.faces.Width(em, bold, text))) + 2*pad
		if w.Apart && x > c.margin {
			x += int(0.3 * em)
		} else if x > c.margin {
			x += 2
		}
		if x > c.margin && x+width > c.width-c.margin {
			x, y = c.margin, y+height+int(0.35*em)
		}
		chips = append(chips, chip{image.Rect(x, y, x+width, y+height), text, float64(e.TokenShades[w.Token])})
		x += width
	}
	return part{y + height, func(to *image.RGBA, top int) {
		for _, chip := range chips {
			at := chip.at.Add(image.Pt(0, top))
			round(to, at, em/4, shadeColor(chip.shade))
			c.write(to, em, bold, chip.text, at.Min.X+pad, at.Min.Y+int(1.18*em), annotate.Ink(shadeColor(chip.shade)))
		}
	}}
}

// answers are bars at the left, and at the right the scale.
func (c *card) answers(e *explain.Explanation, most int) part {
	list := e.Answers[:max(0, min(most, len(e.Answers)))]
	if len(list) == 0 {
		list = []explain.Answer{e.Answer}
	}
	line := int(1.75 * c.em)
	left, middle := c.margin, c.margin+int(0.58*float64(c.width-2*c.margin))
	right := min(middle+2*c.margin, c.width-c.margin)
	return part{(len(list) + 1) * line, func(to *image.RGBA, top int) {
		c.write(to, c.em, true, c.faces.Shorten(c.em, true, why(e), float64(c.width-2*c.margin)), left, top+int(c.em), letters)
		top += line
		share := c.faces.Width(c.em, false, "> 99.9 %")
		name := int(0.36 * float64(middle-left))
		for i, a := range list {
			base := top + i*line + int(1.2*c.em)
			own := a.ID == e.Answer.ID
			of := muted
			if own {
				of = letters
			}
			c.write(to, c.em, own, c.faces.Shorten(c.em, own, named(a), float64(name)-c.em/2), left, base, of)
			bar := image.Rect(left+name, base-int(0.72*c.em), middle-int(share+c.em/2), base+int(0.08*c.em))
			if bar.Dx() > 0 {
				round(to, bar, float64(bar.Dy())/2, track)
				filled := bar
				filled.Max.X = bar.Min.X + int(float64(bar.Dx())*float64(min(max(a.Probability, 0), 1))+0.5)
				if filled.Dx() > 0 {
					round(to, filled, float64(min(bar.Dy(), filled.Dx()))/2, map[bool]color.RGBA{true: okabe, false: muted}[own])
				}
			}
			text := percent(a.Probability)
			c.write(to, c.em, own, text, middle-int(c.faces.Width(c.em, own, text)), base, of)
		}
		c.legend(to, e, right, top, c.width-c.margin)
	}}
}

// legend is the scale with its ends, and the method.
func (c *card) legend(to *image.RGBA, e *explain.Explanation, left, top, right int) {
	small := 0.82 * c.em
	bar := image.Rect(left, top+int(0.3*c.em), right, top+int(1.0*c.em))
	for x := bar.Min.X; x < bar.Max.X; x++ {
		shade := float64(x-bar.Min.X) / float64(max(bar.Dx()-1, 1))
		draw.Draw(to, image.Rect(x, bar.Min.Y, x+1, bar.Max.Y), image.NewUniform(shadeColor(shade)), image.Point{}, draw.Src)
	}
	base := bar.Max.Y + int(1.15*small)
	c.write(to, small, false, "least", left, base, muted)
	most := "counts most"
	c.write(to, small, false, most, right-int(c.faces.Width(small, false, most)), base, muted)
	texts := wrap(MethodTitle(e), func(s string) bool { return c.faces.Width(small, false, s) <= float64(right-left) })
	if len(e.TopRegions(1)) == 0 {
		texts = append(texts, "finds no region that counts")
	}
	for i, text := range texts {
		c.write(to, small, false, text, left, base+int(1.6*small)+i*int(1.35*small), muted)
	}
}

// note is a text in as many lines as it takes.
func (c *card) note(text string) part {
	small := 0.82 * c.em
	lines := wrap(text, func(s string) bool { return c.faces.Width(small, false, s) <= float64(c.width-2*c.margin) })
	line := int(1.45 * small)
	return part{len(lines) * line, func(to *image.RGBA, top int) {
		for i, text := range lines {
			c.write(to, small, false, text, c.margin, top+i*line+int(small), letters)
		}
	}}
}

// wrap breaks a text between words into lines that fit.
func wrap(text string, fits func(string) bool) []string {
	var lines []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && !fits(line+" "+w) {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(lines, line)
}

// write writes on a line that begins at x, y.
func (c *card) write(to *image.RGBA, em float64, bold bool, text string, x, y int, of color.Color) {
	d := font.Drawer{Dst: to, Src: image.NewUniform(of), Face: c.faces.Face(em, bold), Dot: fixed.P(x, y)}
	d.DrawString(text)
}

// round fills a rectangle whose corners are round.
func round(to *image.RGBA, r image.Rectangle, radius float64, of color.Color) {
	w, h, k := float32(r.Dx()), float32(r.Dy()), float32(radius)
	k = min(k, w/2, h/2)
	z := vector.NewRasterizer(r.Dx(), r.Dy())
	z.MoveTo(k, 0)
	z.LineTo(w-k, 0)
	z.QuadTo(w, 0, w, k)
	z.LineTo(w, h-k)
	z.QuadTo(w, h, w-k, h)
	z.LineTo(k, h)
	z.QuadTo(0, h, 0, h-k)
	z.LineTo(0, k)
	z.QuadTo(0, 0, k, 0)
	z.ClosePath()
	z.Draw(to, r, image.NewUniform(of), image.Point{})
}
