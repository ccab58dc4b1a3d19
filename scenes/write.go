package scenes

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
)

// write writes all but pictures and regions.
func (t *set) write(dir string) error {
	for name, list := range map[string][]questions.Question{"vqa.json": t.vqa, "gqa.json": t.gqa, "nlvr2.json": t.nlvr2} {
		if _, err := questions.Write(filepath.Join(dir, name), each1(list)); err != nil {
			return err
		}
	}
	if _, _, err := questions.WritePretraining(filepath.Join(dir, "captions.json"), t.pretraining, true); err != nil {
		return err
	}
	table, err := answers.NewTable(answerTable())
	if err != nil {
		return err
	}
	if err := table.Write(filepath.Join(dir, "answers.json")); err != nil {
		return err
	}
	labels, err := json.MarshalIndent(Answers(), "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(filepath.Join(dir, "labels.json"), 0o644, append(labels, '\n')); err != nil {
		return err
	}
	config := fmt.Sprintf("{\n  \"visual_feat_dim\": %d,\n  \"num_object_labels\": %d,\n  \"num_attr_labels\": %d\n}\n", FeatureWidth, len(ObjectNames()), len(AttributeNames()))
	if err := atomicfile.WriteBytes(filepath.Join(dir, "config.json"), 0o644, []byte(config)); err != nil {
		return err
	}
	for name, list := range map[string][]string{"vocab.txt": Vocabulary(), "objects.txt": ObjectNames(), "attributes.txt": AttributeNames()} {
		if err := atomicfile.WriteBytes(filepath.Join(dir, name), 0o644, []byte(strings.Join(list, "\n")+"\n")); err != nil {
			return err
		}
	}
	return t.writeScenes(filepath.Join(dir, SetName))
}

// each1 goes through a list of questions.
func each1(list []questions.Question) questions.Seq {
	return func(yield func(questions.Question, error) bool) {
		for _, q := range list {
			if !yield(q, nil) {
				return
			}
		}
	}
}

// A sceneRecord is a line of scenes.json.
type sceneRecord struct {
	ID      string         `json:"img_id"`
	Ground  int            `json:"ground"`
	Seed    uint64         `json:"seed"`
	Objects []objectRecord `json:"objects"`
}

type objectRecord struct {
	Kind  string `json:"kind"`
	Color string `json:"color"`
	Size  string `json:"size"`
	Box   [4]int `json:"box"` // x1, y1, x2, y2 in pixels
}

// writeScenes writes what is in each picture, one a line.
func (t *set) writeScenes(path string) error {
	return atomicfile.Write(path, 0o644, func(w io.Writer) error {
		out := bufio.NewWriter(w)
		before := "[\n"
		for i, s := range t.scenes {
			record := sceneRecord{ID: t.ids[i], Ground: int(s.Ground), Seed: s.Seed}
			for _, o := range s.Objects {
				record.Objects = append(record.Objects, objectRecord{o.Kind.String(), o.Color.String(), o.Size.String(),
					[4]int{o.Box.Min.X, o.Box.Min.Y, o.Box.Max.X, o.Box.Max.Y}})
			}
			line, err := json.Marshal(record)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%s%s", before, line) // an error of the file comes again at Flush
			before = ",\n"
		}
		fmt.Fprint(out, "\n]\n")
		return out.Flush()
	})
}

// encoders share their memory: a picture's worth is allocated anew for each otherwise.
var encoders = png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &encoderPool{}}

type encoderPool struct{ pool sync.Pool }

func (p *encoderPool) Get() *png.EncoderBuffer {
	buffer, _ := p.pool.Get().(*png.EncoderBuffer)
	return buffer
}

func (p *encoderPool) Put(buffer *png.EncoderBuffer) { p.pool.Put(buffer) }

// writePNG writes a picture, which is on the disk only after syncAll: to wait for the disk at each one takes longer than all else.
func writePNG(path string, picture image.Image) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, 1<<16)
	return errors.Join(encoders.Encode(out, picture), out.Flush(), file.Close())
}

// syncs is how many files are waited for at once: the disk takes them together.
const syncs = 64

// syncAll waits until all files of a directory, and their names, are on the disk.
func syncAll(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var failed error
	for _, err := range inOrder(ctx, syncs, len(entries), func(i int) error { return syncFile(filepath.Join(dir, entries[i].Name())) }) {
		failed = errors.Join(failed, err)
	}
	return errors.Join(failed, ctx.Err(), atomicfile.SyncDir(dir))
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
