package resize

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/vision"
)

// reference are the golden numbers of a file in testdata.
func reference(t testing.TB, name string) map[string]*tensors.Tensor {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return golden.Tensors(t, path)
}

func TestShortestEdge(t *testing.T) {
	rows := tensors.MustCopyFlatData[int64](reference(t, "resize_rule.safetensors")["rows"])
	for r := range slices.Chunk(rows, 6) {
		from := vision.Size{Width: int(r[3]), Height: int(r[2])}
		want := vision.Size{Width: int(r[5]), Height: int(r[4])}
		if got := ShortestEdge(from, int(r[0]), int(r[1])); got != want {
			t.Errorf("%v to %d, at most %d: got %v, want %v", from, r[0], r[1], got, want)
		}
	}
	for _, from := range []vision.Size{{}, {Width: -3, Height: 5}, {Width: 1 << 40, Height: 1}} {
		if got := ShortestEdge(from, 800, 1333); got.Width < 1 || got.Height < 1 || max(got.Width, got.Height) > 1333 {
			t.Errorf("%v: %v", from, got)
		}
	}
	if got := ShortestEdge(vision.Size{Width: 5, Height: 5}, 0, 0); got != (vision.Size{Width: 1, Height: 1}) {
		t.Error(got)
	}
}

// A unit is one picture and what PIL and PyTorch made of it.
type unit struct {
	rgb      []uint8
	from, to vision.Size
	pil      []uint8
	torch    []float32 // [3, height, width]
}

func units(t testing.TB) (all []unit) {
	t.Helper()
	file := reference(t, "resize.safetensors")
	size := func(x *tensors.Tensor) vision.Size {
		return vision.Size{Width: x.Shape().Dim(1), Height: x.Shape().Dim(0)}
	}
	bytes := func(x *tensors.Tensor) (out []uint8) {
		for _, v := range tensors.MustCopyFlatData[int64](x) {
			out = append(out, uint8(v))
		}
		return out
	}
	for i := 0; ; i++ {
		x, pil := file[fmt.Sprintf("x.%d", i)], file[fmt.Sprintf("pil_bilinear_uint8.%d", i)]
		if x == nil {
			break
		}
		torch := tensors.MustCopyFlatData[float32](file[fmt.Sprintf("torch_bilinear_float.%d", i)])
		all = append(all, unit{bytes(x), size(x), size(pil), bytes(pil), torch})
	}
	if len(all) < 7 {
		t.Fatalf("%d units, want 7", len(all))
	}
	return all
}

func TestAntialiased(t *testing.T) {
	for i, u := range units(t) {
		got, err := Antialiased(u.rgb, u.from, u.to)
		if err != nil || !slices.Equal(got, u.pil) {
			t.Errorf("%d, %v to %v: not PIL's pixels: %v", i, u.from, u.to, err)
		}
	}
}

// TestBilinear: every layout and order of the channels has PyTorch's numbers, up to two units in the last place of 255 in float32, 1.5e-5 each.
func TestBilinear(t *testing.T) {
	const tolerance = 4e-5
	mean, std := [3]float32{102.9801, 115.9465, 122.7717}, [3]float32{1, 2, 0.5}
	for i, u := range units(t) {
		n := u.to.Width * u.to.Height
		wider := vision.Size{Width: u.to.Width + 3, Height: u.to.Height + 2}
		for name, out := range map[string]Output{
			"interleaved":       Output{Pixels: make([]float32, 3*n)}.Interleaved(u.to.Width),
			"planes":            Output{Pixels: make([]float32, 3*n)}.Planes(u.to),
			"BGR, padded":       Output{Pixels: padded(3 * wider.Width * wider.Height), BGR: true, Mean: mean}.Interleaved(wider.Width),
			"padded planes":     Output{Pixels: padded(3 * wider.Width * wider.Height), Mean: mean, Std: std}.Planes(wider),
			"BGR planes, scale": Output{Pixels: make([]float32, 3*n), BGR: true, Mean: mean, Std: std}.Planes(u.to),
		} {
			if err := Bilinear(u.rgb, u.from, u.to, out); err != nil {
				t.Fatal(err)
			}
			touched := 0
			for y := range u.to.Height {
				for x := range u.to.Width {
					for c := range 3 {
						color := c
						if out.BGR {
							color = 2 - c
						}
						want := u.torch[color*n+y*u.to.Width+x] - out.Mean[c]
						bound := float64(tolerance)
						if s := out.Std[c]; s != 0 {
							want /= s
							bound /= float64(s)
						}
						got := out.Pixels[y*out.Row+x*out.Column+c*out.Channel]
						if !(math.Abs(float64(got-want)) <= bound) {
							t.Fatalf("%d, %s: row %d, column %d, channel %d: got %v, want %v", i, name, y, x, c, got, want)
						}
						touched++
					}
				}
			}
			for _, v := range out.Pixels {
				if math.IsNaN(float64(v)) {
					touched++
				}
			}
			if touched != len(out.Pixels) {
				t.Errorf("%d, %s: padding was written to", i, name)
			}
		}
	}
}

// padded are NaNs.
func padded(n int) []float32 {
	return slices.Repeat([]float32{float32(math.NaN())}, n)
}

func TestRefuses(t *testing.T) {
	one, two := vision.Size{Width: 1, Height: 1}, vision.Size{Width: 2, Height: 2}
	room := Output{Pixels: make([]float32, 12)}.Interleaved(2)
	for _, c := range []struct {
		name     string
		rgb      []uint8
		from, to vision.Size
		out      Output
		want     string
	}{
		{"no pixels", nil, vision.Size{}, two, room, "from 0 × 0 to 2 × 2"},
		{"to none", make([]uint8, 3), one, vision.Size{Width: -1, Height: 4}, room, "to -1 × 4"},
		{"too large", make([]uint8, 3), one, vision.Size{Width: 1 << 40, Height: 1 << 40}, room, "64 million"},
		{"bytes", make([]uint8, 4), one, two, room, "4 bytes of a picture of 1 × 1 pixels, want 3"},
	} {
		if _, err := Antialiased(c.rgb, c.from, c.to); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err := Bilinear(c.rgb, c.from, c.to, c.out); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for name, out := range map[string]Output{
		"no room":  Output{Pixels: make([]float32, 11)}.Interleaved(2),
		"negative": {Pixels: make([]float32, 100), Row: -6, Column: 3, Channel: 1},
		"huge":     {Pixels: make([]float32, 100), Row: 1 << 62, Column: 1 << 62, Channel: 1 << 62},
	} {
		if err := Bilinear(make([]uint8, 3), one, two, out); err == nil || !strings.Contains(err.Error(), "want it for 2 × 2 pixels") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BenchmarkResize takes a photograph to the detector's size.
func BenchmarkResize(b *testing.B) {
	from := vision.Size{Width: 640, Height: 480}
	to := ShortestEdge(from, 800, 1333)
	rgb := make([]uint8, 3*from.Width*from.Height)
	for i := range rgb {
		rgb[i] = uint8(i * i >> 7)
	}
	b.Run("bilinear", func(b *testing.B) {
		out := Output{Pixels: make([]float32, 3*to.Width*to.Height), BGR: true}.Interleaved(to.Width)
		for b.Loop() {
			if err := Bilinear(rgb, from, to, out); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("antialiased", func(b *testing.B) {
		for b.Loop() {
			if _, err := Antialiased(rgb, from, to); err != nil {
				b.Fatal(err)
			}
		}
	})
}
