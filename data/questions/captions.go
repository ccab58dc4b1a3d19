package questions

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/internal/jsonstream"
)

// The names of pre-training's sources, as LXMERT's files and its answer table have them.
const (
	SourceCOCO = "mscoco"
	SourceVG   = "vg"
	SourceVQA  = "vqa"
	SourceGQA  = "gqa"
	SourceVGQA = "visual7w" // questions of Visual Genome
)

// COCO reads MS COCO's captions (captions_val2014.json). A picture has the name of its file without .jpg; with
// prefix, such as COCO_val2014_, that and twelve digits, for the files of 2017 have no such name.
func COCO(path, prefix string) Seq {
	return read(path, func(r *jsonstream.Reader, yield func(Question, error) error) error {
		names := map[int64]string{}
		found := false
		err := r.Members(func(key string) error {
			switch key {
			case "images":
				return cocoImages(r, names)
			case "annotations":
				found = true
				return r.Elements(func(i int) error {
					return decode(r, i, yield, func(v cocoCaption) (Question, error) {
						q := Question{ID: NumberID(v.ID), Image: names[v.Image], Sentence: strings.TrimSpace(v.Caption), Source: SourceCOCO}
						if prefix != "" {
							q.Image = fmt.Sprintf("%s%012d", prefix, v.Image)
						}
						if q.Image == "" {
							return q, fmt.Errorf("image_id: found %d, which the file's images do not have (or come after the captions): give a prefix", v.Image)
						}
						return q, nil
					})
				})
			}
			return r.Skip()
		})
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("%s: found no key annotations, want COCO's captions file", r.Path())
		}
		return r.End()
	})
}

type cocoCaption struct {
	ID      int64  `json:"id"`
	Image   int64  `json:"image_id"`
	Caption string `json:"caption"`
}

func cocoImages(r *jsonstream.Reader, names map[int64]string) error {
	return r.Elements(func(i int) error {
		var v struct {
			ID   int64  `json:"id"`
			File string `json:"file_name"`
		}
		err := r.Decode(&v)
		var bad *jsonstream.BadValue
		if errors.As(err, &bad) || err == nil && v.File == "" {
			return fmt.Errorf("%s: images: entry %d: want id and file_name: %w", r.Path(), i, errors.Join(err))
		}
		names[v.ID] = strings.TrimSuffix(v.File, path.Ext(v.File))
		return err
	})
}

// Regions reads Visual Genome's region_descriptions.json: each phrase is a sentence about its picture.
func Regions(path string) Seq {
	return nested(path, "regions", func(image string, raw json.RawMessage) (Question, error) {
		var v struct {
			ID     ID     `json:"region_id"`
			Phrase string `json:"phrase"`
		}
		err := json.Unmarshal(raw, &v)
		return Question{ID: v.ID, Image: image, Sentence: strings.TrimSpace(v.Phrase), Source: SourceVG}, err
	})
}

// VGQA reads Visual Genome's question_answers.json. Answers have the form of pre-training's table (answers.Pretraining).
func VGQA(path string) Seq {
	return nested(path, "qas", func(image string, raw json.RawMessage) (Question, error) {
		var v struct {
			ID       ID      `json:"qa_id"`
			Question string  `json:"question"`
			Answer   *string `json:"answer"`
		}
		err := json.Unmarshal(raw, &v)
		q := Question{ID: v.ID, Image: image, Sentence: v.Question, Source: SourceVGQA}
		if v.Answer != nil {
			q.Label = []answers.Score{{Answer: answers.Pretraining(*v.Answer), Score: 1}}
		}
		return q, err
	})
}

// nested reads Visual Genome's lists: [{"id": PICTURE, KEY: [record, …]}, …].
func nested(path, key string, make func(image string, raw json.RawMessage) (Question, error)) Seq {
	return read(path, func(r *jsonstream.Reader, yield func(Question, error) error) error {
		number := -1
		err := r.Elements(func(i int) error {
			image := ""
			var records []json.RawMessage
			err := r.Members(func(member string) error {
				switch member {
				case "id", "image_id":
					var id ID
					if err := r.Decode(&id); err != nil {
						return fmt.Errorf("%s: entry %d: %s: %w", r.Path(), i, member, err)
					}
					image = id.String()
					return nil
				case key:
					if err := r.Decode(&records); err != nil {
						return fmt.Errorf("%s: entry %d: %s: %w", r.Path(), i, key, err)
					}
					return nil
				}
				return r.Skip()
			})
			if err != nil {
				return err
			}
			for _, raw := range records {
				number++
				q, err := make(image, raw)
				err = jsonerror.Explain(err)
				if err == nil {
					err = q.check()
				}
				if err != nil {
					err = &RecordError{Path: r.Path(), Record: number, ID: q.ID.String(), Err: fmt.Errorf("(picture %s) %w", plain(image), err)}
				}
				if err := yield(q, err); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		return r.End()
	})
}
