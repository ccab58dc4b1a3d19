package questions

import (
	"fmt"
	"strings"

	"github.com/go-lxmert/lxmert/internal/jsonstream"
)

// NLVR2 reads NLVR2 as its repository offers it (train.json, dev.json, test1.json), an object a line. split is LXMERT's
// name of it (train, valid, test) and goes into UID, nlvr2_valid_0; a sentence is about the pair of pictures that its identifier
// names, dev-850-0-0 about dev-850-0-img0 and dev-850-0-img1.
func NLVR2(path, split string) Seq {
	return read(path, func(r *jsonstream.Reader, yield func(Question, error) error) error {
		return r.Values(func(i int) error {
			return decode(r, i, yield, func(v nlvr2Line) (Question, error) {
				q := Question{ID: TextID(v.Identifier), Sentence: v.Sentence, UID: fmt.Sprintf("nlvr2_%s_%d", split, i)}
				parts := strings.Split(v.Identifier, "-")
				if len(parts) != 4 {
					return q, fmt.Errorf("identifier: found %q, want split-set-pair-sentence", plain(v.Identifier))
				}
				pair := strings.Join(parts[:3], "-")
				q.Image, q.Second = pair+"-img0", pair+"-img1"
				switch {
				case v.Label == nil:
				case strings.EqualFold(*v.Label, "true"), strings.EqualFold(*v.Label, "false"):
					truth := strings.EqualFold(*v.Label, "true")
					q.Truth = &truth
				default:
					return q, fmt.Errorf("label: found %q, want True or False", plain(*v.Label))
				}
				return q, nil
			})
		})
	})
}

type nlvr2Line struct {
	Identifier string  `json:"identifier"`
	Sentence   string  `json:"sentence"`
	Label      *string `json:"label"`
}
