package annotate

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"

	"github.com/go-lxmert/lxmert/internal/typeface"
	"github.com/go-lxmert/lxmert/vision"
)

// SheetLongest is how many pixels the longer side of a picture on a contact sheet should have (Options.Longest).
const SheetLongest = 720

// A Captioned picture is one of a contact sheet.
type Captioned struct {
	Picture image.Image
	Caption string
}

// The sheet's measures, in pixels.
const (
	sheetGap  = 16
	captionEm = 14
)

var (
	paper   = color.RGBA{250, 250, 250, 255}
	letters = color.RGBA{31, 35, 40, 255}
)

// Sheet puts pictures side by side in rows, about as many rows as columns, each with its caption below. The error says that there are none, or that the sheet
// would have more than [vision.MaxPixels].
func Sheet(pictures []Captioned) (*image.RGBA, error) {
	if len(pictures) == 0 {
		return nil, fmt.Errorf("there are no pictures for a sheet")
	}
	faces, err := typeface.New()
	if err != nil {
		return nil, err
	}
	columns := int(math.Ceil(math.Sqrt(float64(len(pictures)))))
	rows := (len(pictures) + columns - 1) / columns
	width, heights := 0, make([]int, rows)
	for i, p := range pictures {
		width = max(width, p.Picture.Bounds().Dx())
		heights[i/columns] = max(heights[i/columns], p.Picture.Bounds().Dy())
	}
	const caption = 2 * captionEm
	size := image.Pt(sheetGap+columns*(width+sheetGap), sheetGap)
	for _, h := range heights {
		size.Y += h + caption + sheetGap
	}
	if size.X > vision.MaxPixels/size.Y {
		return nil, fmt.Errorf("a sheet of %d pictures would have %d × %d pixels, want at most %d million: take fewer",
			len(pictures), size.X, size.Y, vision.MaxPixels>>20)
	}
	sheet := image.NewRGBA(image.Rectangle{Max: size})
	fill(sheet, sheet.Rect, paper)
	at := image.Pt(sheetGap, sheetGap)
	for i, p := range pictures {
		b := p.Picture.Bounds()
		draw.Draw(sheet, image.Rectangle{at, at.Add(b.Size())}, p.Picture, b.Min, draw.Src)
		d := font.Drawer{Dst: sheet, Src: image.NewUniform(letters), Face: faces.Face(captionEm, false), Dot: fixed.P(at.X, at.Y+b.Dy()+captionEm+3)}
		d.DrawString(faces.Shorten(captionEm, false, p.Caption, float64(width)))
		at.X += width + sheetGap
		if (i+1)%columns == 0 {
			at = image.Pt(sheetGap, at.Y+heights[i/columns]+caption+sheetGap)
		}
	}
	return sheet, nil
}

// unknownSize is that of the ground for regions of which nobody knows how large their picture was.
var unknownSize = vision.Size{Width: 640, Height: 480}

// Ground is a plain picture in the shape of one of that size, for regions whose picture is not at hand; no larger than [DefaultLongest], for
// nothing is to be seen on it. A size of zero is unknown and becomes 640 × 480.
func Ground(size vision.Size) image.Image {
	if size.Width <= 0 || size.Height <= 0 {
		size = unknownSize
	}
	if long := max(size.Width, size.Height); long > DefaultLongest {
		shrunk := func(n int) int { return max(1, int(float64(n)/float64(long)*DefaultLongest)) }
		size = vision.Size{Width: shrunk(size.Width), Height: shrunk(size.Height)}
	}
	ground := image.NewRGBA(image.Rect(0, 0, size.Width, size.Height))
	fill(ground, ground.Rect, color.RGBA{222, 224, 227, 255})
	return ground
}
