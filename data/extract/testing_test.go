package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-lxmert/lxmert/vision"
)

// drawing is a small PNG whose first pixel says which it is.
func drawing(number int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	img.SetRGBA(0, 0, color.RGBA{uint8(number), uint8(number >> 8), 0, 255})
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// tree writes files, pictures where they are called so.
func tree(t testing.TB, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		save(t, path, drawing(i))
	}
	return dir
}

func save(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644)); err != nil {
		t.Fatal(err)
	}
}

func find(t testing.TB, o FindOptions, paths ...string) *Pictures {
	t.Helper()
	p, err := Find(paths, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// ids goes through the pictures, and answers with the id of each, or "!" and what is wrong with it.
func ids(t testing.TB, p *Pictures) (all []string) {
	t.Helper()
	err := p.each(func(found picture) bool {
		if found.err != nil {
			all = append(all, "!"+found.err.Error())
		} else {
			all = append(all, found.id)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func same(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func says(t testing.TB, err error, want ...string) {
	t.Helper()
	for _, text := range want {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want it to say %q", err, text)
		}
	}
}

// memory is a target.
type memory struct {
	lock    sync.Mutex
	ids     []string
	regions map[string]vision.Regions
	broken  error
	full    int // images that there is room for, 0 for any number
}

func (m *memory) Has(id string) bool {
	m.lock.Lock()
	defer m.lock.Unlock()
	_, ok := m.regions[id]
	return ok
}

func (m *memory) Add(id string, r vision.Regions) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.full > 0 && len(m.ids) == m.full {
		m.broken = errors.New("the disk is full")
		return m.broken
	}
	if err := r.Check(r.FeatureWidth, 4); err != nil {
		return err
	}
	if m.regions == nil {
		m.regions = map[string]vision.Regions{}
	}
	m.ids = append(m.ids, id)
	m.regions[id] = r
	return nil
}

func (m *memory) Err() error {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.broken
}

// An eye is an extractor that counts how many pictures it is given at once.
type eye struct {
	look func(number int) error // unless nil

	lock      sync.Mutex
	now, most int
	numbers   []int
}

func (e *eye) Preset() string                             { return "eye" }
func (e *eye) FeatureWidth() int                          { return 1 }
func (e *eye) Vocabulary() (objects, attributes []string) { return nil, nil }

func (e *eye) Extract(ctx context.Context, img image.Image) (vision.Regions, error) {
	size := img.Bounds().Size()
	return e.ExtractBoxes(ctx, img, []float32{0, 0, float32(size.X), float32(size.Y)})
}

func (e *eye) ExtractBoxes(_ context.Context, img image.Image, boxes []float32) (vision.Regions, error) {
	r, g, _, _ := img.At(0, 0).RGBA()
	number := int(r>>8 | g&0xff00)
	e.lock.Lock()
	e.now++
	e.most = max(e.most, e.now)
	e.numbers = append(e.numbers, number)
	e.lock.Unlock()
	defer func() {
		e.lock.Lock()
		defer e.lock.Unlock()
		e.now--
	}()
	if e.look != nil {
		if err := e.look(number); err != nil {
			return vision.Regions{}, err
		}
	}
	size := img.Bounds().Size()
	regions := vision.Regions{FeatureWidth: 1, Size: vision.Size{Width: size.X, Height: size.Y}, Preset: "eye"}
	var err error
	regions.Boxes, err = vision.NormalizeBoxes(boxes, regions.Size)
	for range len(boxes) / 4 {
		regions.Features = append(regions.Features, float32(number))
	}
	return regions, err
}

// numbered are names of pictures.
func numbered(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%04d.png", i))
	}
	return all
}
