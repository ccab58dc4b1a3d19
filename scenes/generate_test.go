package scenes

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// generated is a data set that several tests look at.
var generated = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "scenes")
	if err != nil {
		return "", err
	}
	_, err = Generate(context.Background(), filepath.Join(dir, "set"), Options{Images: 300, Seed: 3})
	return filepath.Join(dir, "set"), err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := generated(); err == nil {
		os.RemoveAll(filepath.Dir(dir))
	}
	os.Exit(code)
}

func generatedSet(t *testing.T) string {
	t.Helper()
	dir, err := generated()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// seenThings reads scenes.json.
func seenThings(t *testing.T, dir string) map[string][]seenThing {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "scenes.json"))
	if err != nil {
		t.Fatal(err)
	}
	var records []struct {
		ID      string `json:"img_id"`
		Objects []struct {
			Kind, Color, Size string
			Box               [4]float64
		}
	}
	if err := json.Unmarshal(content, &records); err != nil {
		t.Fatal(err)
	}
	seen := map[string][]seenThing{}
	for _, r := range records {
		things := []seenThing{}
		for _, o := range r.Objects {
			things = append(things, seenThing{o.Kind, o.Color, o.Size, (o.Box[0] + o.Box[2]) / 2 / 320, (o.Box[1] + o.Box[3]) / 2 / 240})
		}
		seen[r.ID] = things
	}
	return seen
}

func readAll(t *testing.T, path string) []questions.Question {
	t.Helper()
	var all []questions.Question
	for q, err := range questions.Distinct(path, questions.LXMERT(path), nil) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, q)
	}
	return all
}

// Every answer, caption and statement of a generated set is what a reader of the sentence finds in the scene.
func TestTrue(t *testing.T) {
	dir := generatedSet(t)
	seen := seenThings(t, dir)
	count := map[string]int{}
	for _, name := range []string{"vqa.json", "gqa.json", "captions.json"} {
		for _, q := range readAll(t, filepath.Join(dir, name)) {
			count[name+q.Source]++
			things, ok := seen[q.Image]
			if !ok {
				t.Fatalf("%s: picture %s is not in scenes.json", name, q.Image)
			}
			want := "yes"
			ask := (*reader).caption
			if q.Source != SourceScenes {
				ask = (*reader).question
				var found bool
				if want, found = q.Best(); !found || len(q.Label) != 1 || q.Label[0].Score != 1 {
					t.Errorf("%s: %s: label %v", name, q.Sentence, q.Label)
				}
			} else if q.Label != nil {
				t.Errorf("caption %q has label %v", q.Sentence, q.Label)
			}
			if got, err := read(q.Sentence, things, ask); err != nil || got != want {
				t.Errorf("%s: %s: %q: found %q, want %q (%v): %+v", name, q.Image, q.Sentence, want, got, err, things)
			}
		}
	}
	for _, q := range readAll(t, filepath.Join(dir, "nlvr2.json")) {
		count["nlvr2"]++
		got, err := statement(q.Sentence, seen[q.Image], seen[q.Second])
		if err != nil || got != said(*q.Truth) || q.Image == q.Second {
			t.Errorf("%s, %s: %q: found %v, want %s (%v)", q.Image, q.Second, q.Sentence, *q.Truth, got, err)
		}
	}
	t.Log(count)
	for name, least := range map[string]int{"vqa.json": 10 * 300, "gqa.json": 6 * 300, "captions.jsonscenes": 3 * 300, "nlvr2": 299} {
		if count[name] < least {
			t.Errorf("%s: found %d, want at least %d for 300 pictures", name, count[name], least)
		}
	}
	if count["captions.jsonvqa"] != count["vqa.json"] || count["captions.jsongqa"] != count["gqa.json"] {
		t.Errorf("questions in captions.json: %v", count)
	}
}

// All that is said is read as whole words within LXMERT's 20 tokens, and every answer is in the table, with the data set it answers.
func TestVocabulary(t *testing.T) {
	dir := generatedSet(t)
	words, err := tokenizer.LoadVocab(filepath.Join(dir, "vocab.txt"))
	if err != nil {
		t.Fatal(err)
	}
	table, err := answers.ReadTable(filepath.Join(dir, "answers.json"))
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]*answers.Table{"vqa": table.Of("vqa"), "gqa": table.Of("gqa")}
	all := readAll(t, filepath.Join(dir, "captions.json"))
	all = append(all, readAll(t, filepath.Join(dir, "nlvr2.json"))...)
	tokenize := func(text string) []string {
		encoding, err := words.Encode(text, tokenizer.Call{})
		if err != nil {
			t.Fatal(err)
		}
		tokens := encoding.Tokens()
		return tokens[1 : len(tokens)-1] // without [CLS] and [SEP]
	}
	used := map[string]bool{}
	for _, q := range all {
		tokens := tokenize(q.Sentence)
		if len(tokens) != length(q.Sentence) || len(tokens) > 18 || slices.Contains(tokens, "[UNK]") {
			t.Errorf("%q: tokens %q", q.Sentence, tokens)
		}
		if answer, ok := q.Best(); ok {
			used[answer] = true
			if _, ok := of[q.Source].ID(answers.Pretraining(answer)); !ok {
				t.Errorf("%s: answer %q is not in the table", q.Source, answer)
			}
		}
	}
	for _, answer := range Answers() {
		if !used[answer] && answer != "6" && answer != "7" {
			t.Errorf("answer %q was never right", answer)
		}
	}
	for _, strange := range []string{"wherefore", "zebra's", "x2", "Grünkohl"} {
		if tokens := tokenize(strange); slices.Contains(tokens, "[UNK]") {
			t.Errorf("%q: tokens %q", strange, tokens)
		}
	}
}

// digests are the SHA-256 of all files.
func digests(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		sums[filepath.ToSlash(name)] = fmt.Sprintf("%x", sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

// The same options give the same files, whatever the number of cores; pictures can be left out, and other seeds give others.
func TestSame(t *testing.T) {
	ctx := t.Context()
	make := func(options Options) map[string]string {
		dir := filepath.Join(t.TempDir(), "a", "set")
		report, err := Generate(ctx, dir, options)
		if err != nil {
			t.Fatal(err)
		}
		if report.Images != options.Images {
			t.Errorf("%+v: report %+v", options, report)
		}
		return digests(t, dir)
	}
	one := make(Options{Images: 40, Seed: 7})
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	two := make(Options{Images: 40, Seed: 7})
	if !maps.Equal(one, two) {
		t.Errorf("two runs differ")
	}
	bare := make(Options{Images: 40, Seed: 7, NoImages: true})
	for name, sum := range one {
		if picture := strings.HasPrefix(name, "images/"); picture == (bare[name] == sum) {
			t.Errorf("without images: %s", name)
		}
	}
	if len(one) != len(bare)+40 {
		t.Errorf("found %d files, and %d without images", len(one), len(bare))
	}
	other := make(Options{Images: 40, Seed: 8})
	for name, sum := range one {
		same := slices.Contains([]string{"vocab.txt", "answers.json", "labels.json", "objects.txt", "attributes.txt", "config.json", "regions/.lock"}, name)
		if same != (other[name] == sum) {
			t.Errorf("another seed: %s", name)
		}
	}
}

// The pictures are those of the regions and of scenes.json.
func TestPictures(t *testing.T) {
	dir := generatedSet(t)
	seen := seenThings(t, dir)
	store, err := data.OpenStore(filepath.Join(dir, "regions"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if store.Len() != 300 || len(seen) != 300 {
		t.Errorf("found regions of %d pictures and %d scenes", store.Len(), len(seen))
	}
	for _, id := range []string{"s3-000000", "s3-000123", "s3-000299"} {
		file, err := os.Open(filepath.Join(dir, "images", id+".png"))
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(file)
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		want, err := Detector{}.Extract(t.Context(), picture)
		if err != nil {
			t.Fatal(err)
		}
		got, err := store.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Boxes, want.Boxes) || got.Len() != len(seen[id])+1 {
			t.Errorf("%s: boxes %v, want %v; %d things", id, got.Boxes, want.Boxes, len(seen[id]))
		}
		for i, label := range got.Objects[1:] {
			kind := ObjectNames()[label.ID]
			box := got.Box(i + 1)
			x, y := float64(box[0]+box[2])/2, float64(box[1]+box[3])/2
			if !slices.ContainsFunc(seen[id], func(s seenThing) bool { return s.kind == kind && abs(s.x-x) < 0.02 && abs(s.y-y) < 0.02 }) {
				t.Errorf("%s: a %s at %.2f, %.2f is not in the scene %v", id, kind, x, y, seen[id])
			}
		}
	}
}

func abs(v float64) float64 { return max(v, -v) }

// What is there is not written over, what is cut off leaves nothing, and impossible numbers are refused.
func TestGenerateRefuses(t *testing.T) {
	ctx := t.Context()
	dir := filepath.Join(t.TempDir(), "set")
	small := Options{Images: 2, Seed: 1, NoImages: true}
	if _, err := Generate(ctx, dir, small); err != nil {
		t.Fatal(err)
	}
	before := digests(t, dir)
	if _, err := Generate(ctx, dir, small); !errors.Is(err, ErrExists) {
		t.Errorf("over a set: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	forced := Options{Images: 50, Seed: 2, NoImages: true, Force: true, Progress: func(done, _ int) {
		if done == 10 {
			cancel()
		}
	}}
	if _, err := Generate(cancelled, dir, forced); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if !maps.Equal(before, digests(t, dir)) {
		t.Errorf("a run that was cancelled changed the set")
	}
	if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	forced.Progress = nil
	if _, err := Generate(ctx, dir, forced); err != nil {
		t.Errorf("by force: %v", err)
	}
	if len(seenThings(t, dir)) != 50 {
		t.Errorf("by force: the set was not replaced")
	}
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	small.Force = true
	if _, err := Generate(ctx, foreign, small); err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("over something else: %v", err)
	}
	for _, bad := range []Options{{Images: 0}, {Images: -1}, {Images: MaxImages + 1}, {Images: 1, Seed: MaxSeed + 1}} {
		if _, err := Generate(ctx, filepath.Join(t.TempDir(), "x"), bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// BenchmarkGenerate makes pictures with all that belongs to them; BenchmarkWords leaves out the pixels.
func BenchmarkGenerate(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "set")
	if _, err := Generate(b.Context(), dir, Options{Images: b.N, Seed: 1}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pictures/s")
}

func BenchmarkWords(b *testing.B) {
	wordsOnly(b.N, 1)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pictures/s")
}

// wordsOnly is a set without pixels.
func wordsOnly(images int, seed uint64) (*set, []picture) {
	o := Options{Images: images, Seed: seed}
	set, panel := newSet(seed), panelOf()
	var all []picture
	for i, p := range inOrder(context.Background(), runtime.GOMAXPROCS(0), images, func(i int) picture { return o.words(panel, i) }) {
		set.add(o.id(i), p)
		all = append(all, p)
	}
	return set, all
}
