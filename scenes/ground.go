package scenes

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

// The grounds. All are in pastel, so that objects can be told from them.
const (
	Cream Ground = iota
	Sky
	Mint
	Rose
	Lilac
	Silver
	Stripes
	Dots
	Checks
	Meadow
	Waves
	Bricks
	Clouds
	Rays
	grounds
)

var groundNames = [grounds]string{"cream", "sky", "mint", "rose", "lilac", "silver", "stripes", "dots", "checks", "meadow", "waves", "bricks", "clouds", "rays"}

// String is the ground's name.
func (g Ground) String() string { return groundNames[g] }

// Grounds are all grounds.
func Grounds() []Ground {
	all := make([]Ground, grounds)
	for i := range all {
		all[i] = Ground(i)
	}
	return all
}

// pastels are the colours of plain grounds; busy ones are made of two.
var pastels = [...]color.RGBA{
	Cream:  {253, 246, 227, 255},
	Sky:    {219, 236, 251, 255},
	Mint:   {220, 244, 228, 255},
	Rose:   {253, 228, 232, 255},
	Lilac:  {234, 226, 248, 255},
	Silver: {235, 236, 238, 255},
}

// halfWhite is how much white is in a busy ground's lighter colour, in parts of 256.
const halfWhite = 150

// draw fills the picture with g; an unknown one is white.
func (g Ground) draw(picture *image.RGBA, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1<<32))
	at := g.pattern(r)
	for y := range Height {
		row := picture.Pix[y*picture.Stride:][:4*Width]
		for x := range Width {
			c := at(x, y)
			row[4*x], row[4*x+1], row[4*x+2], row[4*x+3] = c.R, c.G, c.B, 255
		}
	}
}

// pattern gives each pixel's colour.
func (g Ground) pattern(r *rand.Rand) func(x, y int) color.RGBA {
	if g < 0 || g >= grounds {
		return func(int, int) color.RGBA { return white }
	}
	if int(g) < len(pastels) {
		c := pastels[g]
		return func(int, int) color.RGBA { return c }
	}
	a := pastels[r.IntN(len(pastels))]
	b := mix(a, white, halfWhite)
	if r.IntN(2) == 1 {
		b = pastels[r.IntN(len(pastels))]
	}
	phase := r.IntN(1 << 16)
	switch g {
	case Stripes:
		return stripes(r, a, b)
	case Dots:
		return dots(a, b, 20+r.IntN(16), phase)
	case Checks:
		cell := 16 + r.IntN(20)
		return func(x, y int) color.RGBA { return either((x+phase)/cell%2 == (y+phase)/cell%2, a, b) }
	case Meadow:
		return meadow(r)
	case Waves:
		pitch, swing := 18+r.IntN(14), swing(r, 5)
		return func(x, y int) color.RGBA { return either((y+phase+swing[x])/(pitch/2)%2 == 0, a, b) }
	case Bricks:
		return bricks(a, mix(a, white, halfWhite), phase)
	case Clouds:
		return clouds(r, a, b)
	default:
		return rays(r, a, b)
	}
}

func either(first bool, a, b color.RGBA) color.RGBA {
	if first {
		return a
	}
	return b
}

func stripes(r *rand.Rand, a, b color.RGBA) func(x, y int) color.RGBA {
	width := 8 + r.IntN(14)
	slant := [...][2]int{{1, 0}, {0, 1}, {1, 1}, {1, -1}, {2, 1}}[r.IntN(5)]
	return func(x, y int) color.RGBA { return either((x*slant[0]+y*slant[1]+1<<12)/width%2 == 0, a, b) }
}

func dots(a, b color.RGBA, pitch, phase int) func(x, y int) color.RGBA {
	reach := pitch * pitch / 16
	return func(x, y int) color.RGBA {
		row := (y + phase) / pitch
		dx := (x+phase+row%2*pitch/2)%pitch - pitch/2
		dy := (y+phase)%pitch - pitch/2
		return either(dx*dx+dy*dy < reach, b, a)
	}
}

// swing is a wave's height at each column.
func swing(r *rand.Rand, height float64) []int {
	length, start := 40+float64(r.IntN(60)), r.Float64()
	at := make([]int, Width)
	for x := range at {
		at[x] = int(math.Round(height * math.Sin(2*math.Pi*(float64(x)/length+start))))
	}
	return at
}

var far, near = color.RGBA{222, 243, 214, 255}, color.RGBA{208, 238, 202, 255} // hills

// meadow has hills below a sky.
func meadow(r *rand.Rand) func(x, y int) color.RGBA {
	horizon := 90 + r.IntN(70)
	a, b := swing(r, 9), swing(r, 7)
	return func(x, y int) color.RGBA {
		switch {
		case y < horizon+a[x]:
			return pastels[Sky]
		case y < horizon+44+b[x]:
			return far
		}
		return near
	}
}

func bricks(a, b color.RGBA, phase int) func(x, y int) color.RGBA {
	const width, height, joint = 40, 20, 3
	return func(x, y int) color.RGBA {
		row := (y + phase) / height
		return either((y+phase)%height < joint || (x+phase+row%2*width/2)%width < joint, b, a)
	}
}

// clouds go softly from one colour to the other: numbers at the corners of a lattice, and between them what is between them.
func clouds(r *rand.Rand, a, b color.RGBA) func(x, y int) color.RGBA {
	const cell = 40
	var lattice [Height/cell + 2][Width/cell + 2]int
	for y := range lattice {
		for x := range lattice[y] {
			lattice[y][x] = r.IntN(256)
		}
	}
	shades := make([]color.RGBA, 256)
	for i := range shades {
		shades[i] = mix(a, b, i)
	}
	return func(x, y int) color.RGBA {
		i, j, u, v := y/cell, x/cell, y%cell, x%cell
		above := lattice[i][j]*(cell-v) + lattice[i][j+1]*v
		below := lattice[i+1][j]*(cell-v) + lattice[i+1][j+1]*v
		return shades[(above*(cell-u)+below*u)/(cell*cell)]
	}
}

// rays come from a sun.
func rays(r *rand.Rand, a, b color.RGBA) func(x, y int) color.RGBA {
	const turns = 24 // rays of both colours
	sunX, sunY := r.IntN(Width), r.IntN(Height)
	return func(x, y int) color.RGBA {
		turn := math.Atan2(float64(y-sunY)+0.5, float64(x-sunX)+0.5)/(2*math.Pi) + 1.01 // so that no ray ends on a diagonal, where rounding decides
		return either(int(turn*turns)%2 == 0, a, b)
	}
}
