package questions

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/internal/jsonstream"
)

// A Kind is what is asked: one of the tasks that LXMERT is fine-tuned for.
type Kind string

const (
	KindVQA   Kind = "vqa"   // questions about pictures
	KindGQA   Kind = "gqa"   // questions about pictures, which need reasoning
	KindNLVR2 Kind = "nlvr2" // statements about two pictures
)

// Kinds are all kinds.
var Kinds = []Kind{KindVQA, KindGQA, KindNLVR2}

// ParseKind reads a kind's name.
func ParseKind(name string) (Kind, error) {
	if k := Kind(name); slices.Contains(Kinds, k) {
		return k, nil
	}
	return "", fmt.Errorf("found kind %q, want vqa, gqa or nlvr2", name)
}

// A Form is how a file of questions is written.
type Form string

const (
	FormLXMERT Form = "lxmert" // LXMERT's own JSON
	FormVQA    Form = "vqa"    // VQA's questions file
	FormGQA    Form = "gqa"    // GQA's questions file
	FormNLVR2  Form = "nlvr2"  // NLVR2's lines
	FormOwn    Form = "own"    // a table or list of one's own
)

// Called is the form in words.
func (f Form) Called() string {
	return map[Form]string{FormLXMERT: "LXMERT's JSON", FormVQA: "VQA's questions", FormGQA: "GQA's questions", FormNLVR2: "NLVR2's lines", FormOwn: "records of one's own"}[f]
}

// Recognise says in which form a file is, by its beginning; a .csv is one of one's own. The error says that it is none of them, or
// which other file of a data set it is.
func Recognise(path string) (Form, error) {
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		return FormOwn, nil
	}
	r, err := jsonstream.Open(path)
	if err != nil {
		return "", err
	}
	defer r.Close()
	first, err := r.Begins()
	if err != nil {
		return "", err
	}
	var form Form
	switch first {
	case '[':
		form = FormLXMERT // of an empty list
		err = r.Elements(func(int) error {
			if form, err = formOfRecord(r, false); err != nil {
				return err
			}
			return errStop
		})
	case '{':
		form, err = formOfRecord(r, true)
	default:
		return "", fmt.Errorf("%s: begins with %q, want JSON or a table NAME.csv", path, rune(first))
	}
	if err != nil && err != errStop {
		return "", err
	}
	return form, nil
}

// IsPretraining says whether a file is a list of pre-training's records, sentences by source (sentf), by the first of them.
func IsPretraining(path string) (bool, error) {
	r, err := jsonstream.Open(path)
	if err != nil {
		return false, err
	}
	defer r.Close()
	if first, err := r.Begins(); err != nil || first != '[' {
		return false, err
	}
	found := false
	err = r.Elements(func(int) error {
		var record json.RawMessage
		if err := r.Decode(&record); err != nil {
			return err
		}
		var keys struct {
			Sentences json.RawMessage `json:"sentf"`
		}
		found = json.Unmarshal(record, &keys) == nil && keys.Sentences != nil // a list of something else is not meant
		return errStop
	})
	if err == errStop {
		err = nil
	}
	return found, err
}

// formOfRecord tells the form by the keys of a record or, if it is the whole file, of the object that it is.
func formOfRecord(r *jsonstream.Reader, whole bool) (Form, error) {
	var form Form
	keys := map[string]bool{}
	err := r.Members(func(key string) error {
		keys[key] = true
		switch {
		case whole && key == "questions":
			form = FormVQA
			return errStop
		case whole && key == "annotations":
			return fmt.Errorf("%s: has annotations, want the questions that they belong to", r.Path())
		}
		var value json.RawMessage
		if err := r.Decode(&value); err != nil {
			return err
		}
		var question struct {
			Image    *json.RawMessage `json:"imageId"`
			Question *json.RawMessage `json:"question"`
		}
		if whole && len(value) > 0 && value[0] == '{' && json.Unmarshal(value, &question) == nil && question.Image != nil && question.Question != nil {
			form = FormGQA
			return errStop
		}
		return nil
	})
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return keys[name] })
	}
	switch {
	case err == errStop:
		return form, nil
	case err != nil:
		return "", err
	case whole && len(keys) == 0:
		return FormGQA, nil // of an object without questions
	case has("sentf"):
		return "", fmt.Errorf("%s: has pre-training's sentences, want questions each with an id", r.Path())
	case !whole && has("sent") && has("img_id", "img0", "img1") && !has("answers", "answer"):
		return FormLXMERT, nil
	case whole && has("identifier") && has("sentence"):
		return FormNLVR2, nil
	case has("image", "img_id", "image_id") && has("question", "sent", "sentence"):
		return FormOwn, nil
	}
	return "", fmt.Errorf("%s: the first record has none of the forms known: LXMERT's (img_id, sent), VQA's (questions), GQA's (imageId, question), NLVR2's (identifier, sentence), one's own (image, question)", r.Path())
}

// Open recognises a file and reads it as questions of a kind, with answers where there are some. annotations is VQA's file of
// people's answers, or "". The error says that the file is no such questions; of the sequence a question that is not of the kind, has no id, or one that
// came before is a RecordError.
func Open(kind Kind, path, annotations string) (Seq, Form, error) {
	form, err := Recognise(path)
	if err != nil {
		return nil, "", err
	}
	if kind != KindVQA && annotations != "" {
		return nil, "", fmt.Errorf("%s: annotations are VQA's; %s has its answers in the file of questions", annotations, strings.ToUpper(string(kind)))
	}
	var seq Seq
	switch {
	case form == FormLXMERT:
		seq = LXMERT(path)
	case form == FormOwn && kind != KindNLVR2:
		seq = Own(path, nil)
	case form == FormVQA && kind == KindVQA:
		seq = VQA(path, annotations, nil)
	case form == FormGQA && kind == KindGQA:
		seq = GQA(path, false)
	case form == FormNLVR2 && kind == KindNLVR2:
		seq = NLVR2(path, "valid")
	default:
		return nil, "", fmt.Errorf("%s: found %s, want %s", path, form.Called(), kind.wants())
	}
	return Distinct(path, ofKind(kind, path, seq), nil), form, nil
}

// wants are the forms of a kind in words.
func (k Kind) wants() string {
	if k == KindNLVR2 {
		return Form(k).Called() + " or " + FormLXMERT.Called()
	}
	return Form(k).Called() + ", " + FormLXMERT.Called() + " or " + FormOwn.Called()
}

// ofKind makes a RecordError of what is no question of a kind.
func ofKind(kind Kind, path string, seq Seq) Seq {
	return func(yield func(Question, error) bool) {
		n := -1
		for q, err := range seq {
			if n++; err == nil {
				if err = kind.fits(q); err != nil {
					err = &RecordError{Path: path, Record: n, ID: q.ID.String(), Err: err}
				}
			}
			if !yield(q, err) {
				return
			}
		}
	}
}

// fits says why a question is none of this kind.
func (k Kind) fits(q Question) error {
	switch two := q.Second != ""; {
	case two && k != KindNLVR2:
		return errors.New("img0, img1: found two pictures, want one: statements about two are of kind nlvr2")
	case !two && k == KindNLVR2:
		return errors.New("img0, img1: found one picture, want two: statements of NLVR2 are about a pair")
	case q.ID.IsZero() && k == KindNLVR2:
		return errors.New("identifier: found none, but predictions are known by it")
	case q.ID.IsZero():
		return errors.New("question_id: found none, but predictions are known by it")
	}
	return nil
}
