package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/vision"
)

// TestRun: the target has the pictures in the order of the input, however many are looked at at once; bad ones are faults.
func TestRun(t *testing.T) {
	names := numbered(60)
	dir := tree(t, names...)
	save(t, filepath.Join(dir, "0007.png"), []byte("no picture"))
	save(t, filepath.Join(dir, "0031.png"), drawing(31)[:100])
	save(t, filepath.Join(dir, "0032.png"), nil)
	if err := os.Remove(filepath.Join(dir, "0044.png")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "0044.png"), 0o755); err != nil { // a directory is none, and is passed over
		t.Fatal(err)
	}
	for _, o := range []Options{{}, {Parallel: 5}, {Ahead: 1}, {Ahead: 1, Parallel: 3}} {
		e := &eye{look: func(number int) error {
			time.Sleep(time.Duration(number%3) * 100 * time.Microsecond)
			switch number {
			case 11:
				return errors.New("it is too ugly")
			case 12:
				panic("index out of range")
			}
			return nil
		}}
		to := &memory{}
		var faults []string
		o.Fault = func(f Fault) error {
			faults = append(faults, f.ID)
			if f.ID == "0012" {
				says(t, f, filepath.Join(dir, "0012.png")+": ", "an error that the picture brings out: index out of range")
			}
			return nil
		}
		heard := 0
		o.Progress = func(p Progress) {
			if heard++; p.Done() != heard || p.Of != 59 || !p.All {
				t.Errorf("progress %+v at %d", p, heard)
			}
		}
		report, err := Run(t.Context(), find(t, FindOptions{}, dir), e, to, o)
		if err != nil || report != (Report{Added: 54, Failed: 5}) || heard != 59 {
			t.Fatalf("%+v: %+v, %v", o, report, err)
		}
		same(t, "faults", faults, "0007", "0011", "0012", "0031", "0032")
		if !slices.IsSorted(to.ids) || len(to.ids) != 54 {
			t.Errorf("%q", to.ids)
		}
		for id, r := range to.regions {
			if want := fmt.Sprintf("%04d", int(r.Features[0])); id != want {
				t.Errorf("%s has the regions of %s", id, want)
			}
		}
		if limit := max(1, o.Parallel); e.most > limit || o.Parallel > 1 && o.Ahead == 0 && e.most < 2 {
			t.Errorf("%+v: %d at once", o, e.most)
		}
		e.numbers = nil
		again, err := Run(t.Context(), find(t, FindOptions{}, dir), e, to, Options{})
		if slices.Sort(e.numbers); err != nil || again != (Report{There: 54, Failed: 5}) || !slices.Equal(e.numbers, []int{11, 12}) {
			t.Errorf("a second time: %+v, %v; it looked at %v", again, err, e.numbers)
		}
	}
}

// TestRunEnds: the first fault with Strict, a full disk, a report that cannot be written: what was added before stays.
func TestRunEnds(t *testing.T) {
	dir := tree(t, numbered(30)...)
	save(t, filepath.Join(dir, "0010.png"), []byte("no picture"))
	before := runtime.NumGoroutine()
	to := &memory{}
	report, err := Run(t.Context(), find(t, FindOptions{}, dir), &eye{}, to, Options{Strict: true})
	says(t, err, filepath.Join(dir, "0010.png")+": the file begins with")
	if report != (Report{Added: 10, Failed: 1}) || len(to.ids) != 10 {
		t.Errorf("%+v, %q", report, to.ids)
	}
	to = &memory{full: 5}
	report, err = Run(t.Context(), find(t, FindOptions{}, dir), &eye{}, to, Options{})
	says(t, err, "the disk is full")
	if report != (Report{Added: 5}) {
		t.Errorf("%+v", report)
	}
	to.full, to.broken = 0, nil
	if report, err = Run(t.Context(), find(t, FindOptions{}, dir), &eye{}, to, Options{}); err != nil || report != (Report{Added: 24, There: 5,
		Failed: 1}) || !slices.IsSorted(to.ids) {
		t.Errorf("and again: %+v, %v", report, err)
	}
	_, err = Run(t.Context(), find(t, FindOptions{}, dir), &eye{}, &memory{}, Options{Fault: func(Fault) error { return errors.New("no room for a line") }})
	says(t, err, "no room for a line")
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// TestRunStopped: when ctx ends, Run does too, whatever it waits for: for a list that does not come, too.
func TestRunStopped(t *testing.T) {
	dir := tree(t, numbered(30)...)
	ctx, stop := context.WithCancel(t.Context())
	to := &memory{}
	report, err := Run(ctx, find(t, FindOptions{}, dir), &eye{}, to, Options{Progress: func(p Progress) {
		if p.Done() == 7 {
			stop()
		}
	}})
	if !errors.Is(err, context.Canceled) || report.Added != 7 {
		t.Errorf("%+v, %v", report, err)
	}
	r, w := io.Pipe()
	defer w.Close()
	ctx, stop = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := Run(ctx, find(t, FindOptions{Stdin: r}, "-"), &eye{}, to, Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// TestRunStream: a picture is looked at before the list goes on.
func TestRunStream(t *testing.T) {
	dir := tree(t, numbered(5)...)
	r, w := io.Pipe()
	added := make(chan struct{})
	go func() {
		for i := range 5 {
			fmt.Fprintf(w, "%s\n", filepath.Join(dir, fmt.Sprintf("%04d.png", i)))
			<-added
		}
		w.Close()
	}()
	report, err := Run(t.Context(), find(t, FindOptions{Stdin: r}, "-"), &eye{}, &memory{}, Options{Progress: func(p Progress) {
		if p.All {
			t.Error("that is known to be all")
		}
		added <- struct{}{}
	}})
	if err != nil || report != (Report{Added: 5}) {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestRunBoxes: given boxes go to the extractor, cut at the picture's edge; a picture without is a fault.
func TestRunBoxes(t *testing.T) {
	dir := tree(t, numbered(5)...) // 40 × 30 pixels
	path := filepath.Join(t.TempDir(), "boxes.json")
	save(t, path, []byte(`{"0000": [[0, 0, 20, 15]], "0001": [[-0.5, 3, 40.5, 30], [1, 2, 3, 4]]}
{"0002": [[0, 0, 50, 15]], "0003": [[40.2, 0, 40.7, 15]]}`))
	boxes, err := ReadBoxes(path, false)
	if err != nil || boxes.Len() != 4 {
		t.Fatal(err)
	}
	to := &memory{}
	faults := map[string]error{}
	report, err := Run(t.Context(), find(t, FindOptions{}, dir), &eye{}, to, Options{Boxes: boxes, Fault: func(f Fault) error {
		faults[f.ID] = f
		return nil
	}})
	if err != nil || report != (Report{Added: 2, Failed: 3}) {
		t.Errorf("%+v, %v", report, err)
	}
	if got := to.regions["0001"].Boxes; !slices.Equal(got, []float32{0, 0.1, 1, 1, 1. / 40, 2. / 30, 3. / 40, 4. / 30}) {
		t.Errorf("%v", got)
	}
	says(t, faults["0002"], "box 0 is [0 0 50 15], which leaves the picture, 40 × 30 pixels")
	says(t, faults["0003"], "of which nothing is in the picture")
	says(t, faults["0004"], path+" has no boxes for image 0004")
	_, err = Run(t.Context(), find(t, FindOptions{}, dir), blind{}, to, Options{Boxes: boxes})
	says(t, err, "cannot be given boxes")
}

// blind is an extractor that is none for boxes.
type blind struct{ vision.Extractor }

func (blind) Preset() string { return "blind" }

// TestBudget: who comes later waits, even if there is room for it, and what is too heavy is alone.
func TestBudget(t *testing.T) {
	b := newBudget(10)
	var lock sync.Mutex
	var order []int64
	used, most := int64(0), int64(0)
	var all sync.WaitGroup
	weights := []int64{4, 5, 30, 1, 0, 9, 10, 2, 2}
	for turn := len(weights) - 1; turn >= 0; turn-- {
		all.Go(func() {
			b.enter(int64(turn), weights[turn])
			lock.Lock()
			order = append(order, int64(turn))
			used += weights[turn]
			if weights[turn] != 30 {
				most = max(most, used)
			}
			lock.Unlock()
			time.Sleep(time.Millisecond)
			lock.Lock()
			used -= weights[turn]
			lock.Unlock()
			b.leave(weights[turn])
		})
	}
	all.Wait()
	if most > 10 || len(order) != len(weights) || slices.Index(order, 2) < 2 {
		t.Errorf("order %v, at most %d at once", order, most)
	}
	if b.close(); b.enter(99, 1) {
		t.Error("a closed budget let somebody in")
	}
}

// TestReadBoxes: the forms of boxes, and what is wrong with them.
func TestReadBoxes(t *testing.T) {
	coco := `{"info": {"x": [1]}, "annotations": [{"image_id": 5, "bbox": [1, 2, 3.5, 4], "id": 1}, {"image_id": 7, "bbox": [1, 2, 0, 4]},
		{"image_id": 5, "bbox": [0, 0, 1, 1]}],
"images": [{"id": 5, "file_name": "val/COCO_5.jpg", "width": 3}, {"id": 6, "file_name": "val/COCO_6.jpg"}, {"id": 7, "file_name": "COCO_7.jpg"}]}`
	path := filepath.Join(t.TempDir(), "b.json")
	read := func(content string, pathIDs bool) (*Boxes, error) {
		save(t, path, []byte(content))
		return ReadBoxes(path, pathIDs)
	}
	for id, pathIDs := range map[string]bool{"COCO_5": false, "val/COCO_5": true} {
		b, err := read(coco, pathIDs)
		if err != nil || b.Len() != 2 {
			t.Fatal(err)
		}
		if got, err := b.of(id); err != nil || !slices.Equal(got, []float32{1, 2, 4.5, 6, 0, 0, 1, 1}) {
			t.Errorf("%v, %v", got, err)
		}
		_, err = b.of("COCO_7")
		says(t, err, path+": annotations: entry 1: box 0 is [1 2 1 6], want x1 < x2")
	}
	b, err := read(`{"a": [[1,2,3,4]], "images": [[5,6,7,8]]}`, false)
	if err != nil || b.byID["images"][0] != 5 {
		t.Errorf("an image that is called images: %v", err)
	}
	for id, want := range map[string]string{"e": "no boxes", "x": "want x1 < x2", "f": "want pixels of a picture", "m": "there are more than 1024"} {
		b, err := read(`{"e": [], "x": [[3,2,1,4]], "f": [[0,0,1e9,4]], "m": [[0,0,1,1]`+strings.Repeat(",[0,0,1,1]", 1024)+`]}`, false)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.of(id)
		says(t, err, path, want)
	}
	for content, want := range map[string]string{
		"": "empty", "{}": "found no boxes", "[]": `want '{'`, `{"a": [[1,2,3]]}`: `boxes of image "a": box 0 has 3 numbers`, `{"a": 5}`: `image "a": want [[x1`,
		`{"a": [[1,2,3,4]], "a": [[1,2,3,4]]}`: "there twice", `{"a": [[1,2,3,4]`: "no JSON at byte",
		`{"images": [], "annotations": [{"image_id": 5, "bbox": [1,2,3,4]}]}`: "image_id 5, which is not among the images",
		`{"images": [{"id": 1, "file_name": "a/x.png"}, {"id": 2, "file_name": "b/x.png"}], "annotations": [{"image_id": 1, "bbox": [1,2,3,4]},
			{"image_id": 2, "bbox": [1,2,3,4]}]}`: "--id path",
		`{"images": [{"id": 1}]}`: "entry 0: want id and file_name", `{"annotations": [{"image_id": 1, "bbox": [1,2]}]}`: "want image_id and bbox",
	} {
		_, err := read(content, false)
		says(t, err, path, want)
	}
}

// No file makes the reader of boxes panic, and what it accepts are boxes.
func FuzzBoxes(f *testing.F) {
	for _, seed := range []string{`{"a": [[1,2,3,4]]}`, `{"images": [{"id": 5, "file_name": "5.jpg"}], "annotations": [{"image_id": 5, "bbox": [1, 2,
		3.5, 4]}]}`, `{"a": [[1e300,2,3,4]]} {"b":[]}`} {
		f.Add([]byte(seed), true)
	}
	path := filepath.Join(f.TempDir(), "b.json")
	f.Fuzz(func(t *testing.T, content []byte, pathIDs bool) {
		save(t, path, content)
		b, err := ReadBoxes(path, pathIDs)
		if err != nil {
			return
		}
		for id, boxes := range b.byID {
			if len(boxes) == 0 || len(boxes)%4 != 0 || len(boxes) > 4*vision.MaxRegions {
				t.Fatalf("%q has %d numbers", id, len(boxes))
			}
			for i := 0; i < len(boxes); i += 4 {
				if !(boxes[i] < boxes[i+2] && boxes[i+1] < boxes[i+3]) {
					t.Fatalf("%q has box %v", id, boxes[i:][:4])
				}
			}
		}
	})
}

// TestPixels: what pictures will take is known of each format; of one that is not known nothing would be bounded.
func TestPixels(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 40, 30))
	var asJPEG, asGIF bytes.Buffer
	if err := errors.Join(jpeg.Encode(&asJPEG, img, nil), gif.Encode(&asGIF, img, nil)); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"PNG": drawing(1), "JPEG": asJPEG.Bytes(), "GIF": asGIF.Bytes()} {
		if got := pixels(content); got != 4*40*30 {
			t.Errorf("%s: %d bytes, want 4 × 40 × 30", name, got)
		}
	}
	if got := pixels([]byte("no picture")); got != 0 {
		t.Errorf("no picture: %d bytes", got)
	}
}
