package questions

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
)

// orderedKeys calls each for every key of a JSON object whose values are numbers.
func orderedKeys(text []byte, each func(key string) error) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		if err := each(key.(string)); err != nil {
			return err
		}
		if _, err := dec.Token(); err != nil {
			return err
		}
	}
	return nil
}

// Write writes questions as LXMERT's fine-tuning reads them, one record a line, and returns how many. The file appears when it is complete; the first error of the
// sequence ends it.
func Write(path string, seq Seq) (int, error) {
	n := 0
	err := atomicfile.Write(path, 0o644, func(w io.Writer) error {
		return list(w, func(record func(any) error) error {
			for q, err := range seq {
				if err != nil {
					return err
				}
				if err := record(q.record()); err != nil {
					return err
				}
				n++
			}
			return nil
		})
	})
	return n, err
}

// record is the form that LXMERT's files give a question.
func (q Question) record() lxmertRecord {
	v := lxmertRecord{Sentence: q.Sentence, UID: q.UID}
	if q.Second != "" {
		v.Identifier, v.Image0, v.Image1 = q.ID, q.Image, q.Second
		if q.Truth != nil {
			number := 0.0
			if *q.Truth {
				number = 1
			}
			v.Label = &labelValue{number: &number}
		}
		return v
	}
	v.ID, v.Image, v.QuestionType, v.AnswerType = q.ID, q.Image, q.QuestionType, q.AnswerType
	if q.Label != nil {
		v.Label = &labelValue{scores: q.Label}
	}
	return v
}

// list writes a JSON list, an element a line.
func list(w io.Writer, all func(record func(any) error) error) error {
	out := bufio.NewWriterSize(w, 1<<18)
	before := "[\n"
	err := all(func(v any) error {
		text, err := encode(v)
		out.WriteString(before) // an error of the file comes again at Flush
		out.Write(text)
		before = ",\n"
		return err
	})
	if err != nil {
		return err
	}
	if before == "[\n" {
		out.WriteString("[")
	}
	out.WriteString("\n]\n")
	return out.Flush()
}

// encode is json.Marshal without the escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), err
}

// WritePretraining writes questions as LXMERT's pre-training reads them: a record for each picture, in the order in which pictures come first, with
// all its sentences. They are gathered in memory, unless consecutive says that those of a picture follow each other. It returns how many
// records and sentences there are.
//
// A source either has labels throughout a picture or nowhere: a sentence without one beside others with is an error.
func WritePretraining(path string, seq Seq, consecutive bool) (pictures, sentences int, err error) {
	err = atomicfile.Write(path, 0o644, func(w io.Writer) error {
		return list(w, func(record func(any) error) error {
			var all []*lxmertRecord
			at := map[string]*lxmertRecord{}
			flush := func() error {
				for _, v := range all {
					if err := record(v); err != nil {
						return err
					}
				}
				pictures += len(all)
				all = all[:0]
				clear(at)
				return nil
			}
			for q, err := range seq {
				if err != nil {
					return err
				}
				v := at[q.Image]
				if v == nil {
					if consecutive {
						if err := flush(); err != nil {
							return err
						}
					}
					v = &lxmertRecord{Image: q.Image, Sentences: &perSource[string]{}, Labels: &perSource[labelValue]{}}
					at[q.Image] = v
					all = append(all, v)
				}
				if err := v.add(q); err != nil {
					return err
				}
				sentences++
			}
			return flush()
		})
	})
	return pictures, sentences, err
}

// add adds a sentence to its picture.
func (v *lxmertRecord) add(q Question) error {
	if q.Source == "" || q.Second != "" {
		return fmt.Errorf("question %s: has no source that pre-training knows", plain(q.ID.String()))
	}
	sentences, labels := *v.Sentences, *v.Labels
	if labelled := len(labels[q.Source]) > 0; len(sentences[q.Source]) > 0 && labelled != (q.Label != nil) {
		return fmt.Errorf("picture %s: some sentences of source %s have a label and some have none", plain(q.Image), q.Source)
	}
	sentences[q.Source] = append(sentences[q.Source], q.Sentence)
	if q.Label != nil {
		labels[q.Source] = append(labels[q.Source], labelValue{scores: q.Label})
	}
	return nil
}

// Best is the most right answer of the label, the first of equals; false if it has none.
func (q Question) Best() (string, bool) {
	best := answers.Score{}
	for _, s := range q.Label {
		if s.Score > best.Score {
			best = s
		}
	}
	return best.Answer, best.Score > 0
}
