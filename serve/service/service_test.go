package service

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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/serve/internal/trial"
	"github.com/go-lxmert/lxmert/vision"
)

// open is a service of the shipped model, unless options name others.
func open(t *testing.T, o Options) *Service {
	t.Helper()
	s, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// drawn is the file of a drawn scene.
func drawn(t *testing.T, seed uint64) []byte {
	t.Helper()
	return encoded(t, scenes.New(seed).Draw())
}

func encoded(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func see(t *testing.T, s *Service, content []byte) *Sight {
	t.Helper()
	sight, err := s.See(t.Context(), "", Picture{Content: content})
	if err != nil {
		t.Fatal(err)
	}
	return sight
}

// wantKind checks the kind of an error, and that its sentence holds some words.
func wantKind(t *testing.T, err error, kind Kind, words string) {
	t.Helper()
	if err == nil || KindOf(err) != kind || !strings.Contains(AsError(err).Message, words) {
		t.Errorf("found %v (%v), want %v with %q", err, KindOf(err), kind, words)
	}
}

// TestAnswersAreTheModels asks in crowds: each answer must be what the model gives when asked alone.
func TestAnswersAreTheModels(t *testing.T) {
	s := open(t, Options{Batch: 8})
	m, err := lxmert.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	texts := []string{"What color is the car?", "How many stars are there?", "Is there a dog?", "where is the big red house"}
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			sight, err := s.See(t.Context(), "", Picture{Content: drawn(t, uint64(i%5))})
			if err != nil {
				t.Error(err)
				return
			}
			text := texts[i%len(texts)]
			got, err := s.Answer(t.Context(), "", sight, []string{text}, 3)
			if err != nil {
				t.Error(err)
				return
			}
			want, err := m.Ask(t.Context(), sight.Regions, text)
			if err != nil {
				t.Error(err)
				return
			}
			for k, a := range got[0].Answers {
				if a.ID != want[k].ID || !(abs(a.Score-want[k].Score) < 1e-3) {
					t.Errorf("%d: answer %d: found %+v, want %+v", i, k, a, want[k])
				}
			}
		})
	}
	group.Wait()
}

func abs(x float32) float32 { return max(x, -x) }

// TestOneBadQuestion is refused alone, whoever it shares a pass with.
func TestOneBadQuestion(t *testing.T) {
	s := open(t, Options{BatchWait: 50 * time.Millisecond})
	sight := see(t, s, drawn(t, 1))
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() {
			text, bad := "is there a car?", i%3 == 0
			if bad {
				text = strings.Repeat("car ", 600)
			}
			_, err := s.Answer(t.Context(), "", sight, []string{text}, 1)
			if bad {
				wantKind(t, err, Invalid, "tokens, the model reads")
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	_, err := s.Answer(t.Context(), "", sight, []string{"is there a car?", " "}, 1)
	wantKind(t, err, Invalid, "question 1: the question is empty")
	_, err = s.Answer(t.Context(), "", sight, nil, 1)
	wantKind(t, err, Invalid, "no question")
	_, err = s.Answer(t.Context(), "", sight, make([]string, 65), 1)
	wantKind(t, err, TooLarge, "65 questions")
	_, err = s.Answer(t.Context(), "", sight, []string{strings.Repeat("x", 5000)}, 1)
	wantKind(t, err, TooLarge, "5000 bytes")
	_, err = s.Answer(t.Context(), "", sight, []string{"why"}, 0)
	wantKind(t, err, Invalid, "want 1 or more")
	_, err = s.Answer(t.Context(), "other", sight, []string{"why"}, 1)
	wantKind(t, err, NotFound, "only shipped")
}

func TestCancelled(t *testing.T) {
	s := open(t, Options{})
	sight := see(t, s, drawn(t, 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Answer(ctx, "", sight, []string{"is there a car?"}, 1)
	wantKind(t, err, Cancelled, "")
	ctx, cancel = context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_, err = s.See(ctx, "", Picture{Content: drawn(t, 99)})
	wantKind(t, err, Timeout, "longer")
	if _, err := s.Answer(t.Context(), "", sight, []string{"is there a car?"}, 1); err != nil {
		t.Error("the next question:", err)
	}
}

func TestPicturesRefused(t *testing.T) {
	s := open(t, Options{MaxPixels: 300 * 300, MaxFileBytes: 64 << 10})
	for name, c := range map[string]struct {
		picture Picture
		kind    Kind
		words   string
	}{
		"none":       {Picture{}, Invalid, "no picture"},
		"text":       {Picture{Content: []byte("hello")}, Invalid, ""},
		"empty":      {Picture{Content: []byte{}}, Invalid, ""},
		"cut":        {Picture{Content: drawn(t, 3)[:300]}, Invalid, ""},
		"pixels":     {Picture{Content: encoded(t, image.NewGray(image.Rect(0, 0, 301, 300)))}, TooLarge, "301 × 300"},
		"bytes":      {Picture{Content: make([]byte, 65<<10)}, TooLarge, "bytes"},
		"hash":       {Picture{SHA256: "../../etc/passwd"}, Invalid, "64 hexadecimal"},
		"never seen": {Picture{SHA256: strings.Repeat("ab", 32)}, NotFound, "does not remember"},
	} {
		_, err := s.See(t.Context(), "", c.picture)
		if err == nil || KindOf(err) != c.kind || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: found %v, want %v with %q", name, err, c.kind, c.words)
		}
	}
}

// TestNotes says of a photograph that it is none of the drawn world, and scales its confidence.
func TestNotes(t *testing.T) {
	s := open(t, Options{})
	noise := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		noise.Set(i%64, i/64, color.RGBA{uint8(i * 7), uint8(i * 13), uint8(i * 29), 255})
	}
	sight := see(t, s, encoded(t, noise))
	if len(sight.Notes) == 0 || *sight.Familiarity > scenes.FamiliarEnough || sight.Trust >= 1 {
		t.Errorf("found notes %q, familiarity %v, trust %v", sight.Notes, *sight.Familiarity, sight.Trust)
	}
	results, err := s.Answer(t.Context(), "", sight, []string{"what is this?"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if a := results[0].Answers[0]; !(a.Confidence < a.Probability) {
		t.Errorf("found confidence %v of probability %v, want less", a.Confidence, a.Probability)
	}
	if sight := see(t, s, drawn(t, 2)); len(sight.Notes) != 0 || sight.Trust != 1 {
		t.Errorf("a drawn scene: found notes %q, trust %v", sight.Notes, sight.Trust)
	}
}

// TestEverythingElse does what else the shipped model can: vectors, tensors; and refuses what it cannot.
func TestEverythingElse(t *testing.T) {
	s := open(t, Options{})
	sight := see(t, s, drawn(t, 2))
	vectors, err := s.Embed(t.Context(), "", sight, []string{"a red car", "a house"})
	if err != nil || len(vectors) != 2 || len(vectors[0]) != s.Cards()[0].Hidden {
		t.Fatalf("found %d vectors, %v", len(vectors), err)
	}
	_, err = s.FillMask(t.Context(), "", nil, "a [MASK] car", 3)
	wantKind(t, err, Unsupported, "no masked-language head")
	_, err = s.Embed(t.Context(), "", sight, []string{""})
	wantKind(t, err, Invalid, "empty")
	_, err = s.Forward(t.Context(), "", nil, model.Options{})
	wantKind(t, err, Invalid, "no inputs")
	_, err = s.Fetch(t.Context(), "http://example.org/x.png")
	wantKind(t, err, Unsupported, "reads no pictures from the network")
	bad := sight.Regions
	bad.FeatureWidth = 3
	_, err = s.Given("", bad)
	wantKind(t, err, Invalid, "")
	if _, err := s.Given("", sight.Regions); err != nil {
		t.Error(err)
	}
}

// TestFillMask fills masks with a pre-training model whose numbers mean nothing, but which has the head.
func TestFillMask(t *testing.T) {
	dir := tinyPreTraining(t)
	s := open(t, Options{Models: []Source{{Dir: dir, Detector: "grid-2x2x1"}}})
	if card := s.Cards()[0]; !card.Does(TaskFillMask) {
		t.Fatalf("found tasks %q, want %s", card.Tasks, TaskFillMask)
	}
	filled, err := s.FillMask(t.Context(), "", nil, "a [MASK] and a [MASK]", 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(filled) != 2 || len(filled[0]) != 3 || !strings.HasPrefix(filled[0][0].Sequence, "a "+filled[0][0].Token) || filled[0][0].Probability < filled[0][1].Probability {
		t.Errorf("found %+v", filled)
	}
	_, err = s.FillMask(t.Context(), "", nil, "a car", 3)
	wantKind(t, err, Invalid, "[MASK]")
	if _, err := s.Answer(t.Context(), "", see(t, s, drawn(t, 1)), []string{"a car?"}, 1); err != nil {
		t.Error(err)
	}
}

func TestClosed(t *testing.T) {
	s, err := New(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	sight := see(t, s, drawn(t, 2))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = s.Answer(t.Context(), "", sight, []string{"a car?"}, 1)
	wantKind(t, err, Draining, "going down")
}

func TestModelsThatCannotBe(t *testing.T) {
	if _, err := New(t.Context(), Options{Models: []Source{{}, {}}}); err == nil || !strings.Contains(err.Error(), "two models have the name") {
		t.Errorf("found %v", err)
	}
	if _, err := New(t.Context(), Options{Models: []Source{{Dir: t.TempDir()}}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("found %v, want that there is no model", err)
	}
	if _, err := New(t.Context(), Options{Models: []Source{{Detector: "grid"}}}); err == nil || !strings.Contains(err.Error(), "visual_feat_dim") {
		t.Errorf("found %v, want that model and detector do not belong together", err)
	}
	if _, err := New(t.Context(), Options{Batch: -1}); err == nil {
		t.Error("a batch of -1 is let in")
	}
}

// TestReload swaps a model under load; a broken one does not take its place.
func TestReload(t *testing.T) {
	dir := tinyPreTraining(t)
	s := open(t, Options{Models: []Source{{Name: "tiny", Dir: dir, Detector: "grid-2x2x1"}}, Watch: 20 * time.Millisecond})
	picture := drawn(t, 4)
	stop := make(chan struct{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				sight, err := s.See(context.Background(), "tiny", Picture{Content: picture})
				if err == nil {
					_, err = s.Answer(context.Background(), "tiny", sight, []string{"a car?"}, 1)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 5 {
		if err := s.Reload(t.Context(), "tiny"); err != nil {
			t.Fatal(err)
		}
	}
	version := s.Cards()[0].Version
	config := filepath.Join(dir, "config.json")
	whole, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "model tiny") {
		t.Errorf("a broken configuration: found %v", err)
	}
	if now := s.Cards()[0].Version; now != version {
		t.Errorf("found version %s, want %s: the broken model must not take the other's place", now, version)
	}
	if err := os.WriteFile(config, append(whole, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for s.Cards()[0].Version == version {
		if time.Now().After(deadline) {
			t.Fatal("the new files were not noticed")
		}
		time.Sleep(5 * time.Millisecond)
	}
	close(stop)
	group.Wait()
	_, err = s.See(t.Context(), "tiny", Picture{SHA256: fmt.Sprintf("%064x", 1)})
	wantKind(t, err, NotFound, "")
}

// tinyPreTraining is a model with all heads, for regions of a grid.
func tinyPreTraining(t *testing.T) string {
	dir, _ := trial.PreTraining(t, vision.Grid{Rows: 2, Columns: 2, Samples: 1}.FeatureWidth())
	return dir
}
