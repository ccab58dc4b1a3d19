package batch

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-lxmert/lxmert/cluster/beam/files"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/predict"
)

// An Answer is a line of OUT/answers-part-00003-of-00008.jsonl, and a row of its Parquet file.
type Answer struct {
	ID          string  `json:"question_id" parquet:"name=question_id, type=BYTE_ARRAY, convertedtype=UTF8"`
	Image       string  `json:"image" parquet:"name=image, type=BYTE_ARRAY, convertedtype=UTF8"`
	Second      string  `json:"second_image,omitempty" parquet:"name=second_image, type=BYTE_ARRAY, convertedtype=UTF8"`
	Sentence    string  `json:"sentence" parquet:"name=sentence, type=BYTE_ARRAY, convertedtype=UTF8"`
	Answer      string  `json:"answer" parquet:"name=answer, type=BYTE_ARRAY, convertedtype=UTF8"`
	Probability float32 `json:"probability" parquet:"name=probability, type=FLOAT"`
	File        int64   `json:"file" parquet:"name=file, type=INT64"`     // of the job's files of questions, from 0
	Record      int64   `json:"record" parquet:"name=record, type=INT64"` // in that file, from 0
}

func answersName(part data.Part) string { return "answers-" + part.FileSuffix() }

// A predictPart is a part of the answers on its way.
type predictPart struct {
	options PredictOptions
	part    data.Part
	asked   []Asked
}

// run does the work, unless the part is there.
func (p *predictPart) run(ctx context.Context) (Done, error) {
	m, made, err := p.madeOf(ctx)
	if err != nil {
		return Done{}, fmt.Errorf("part %v: %w", p.part, err)
	}
	return unlessWhole(ctx, p.options.Out, p.part, made, p.options.Again, func() (Done, error) {
		answers, letters, err := p.answer(ctx, m)
		if err != nil {
			return Done{}, err
		}
		done := Done{Part: p.part.Index, Of: p.part.Of, Items: len(p.asked), Made: len(answers), DeadLetters: len(letters)}
		err = p.publish(ctx, made, &done, answers, letters) // which counts the bytes
		return done, err
	})
}

// madeOf is a hash of the questions, of the model and of the regions, which are the manifest's.
func (p *predictPart) madeOf(ctx context.Context) (m data.Manifest, made string, err error) {
	if m, err = readManifest(ctx, p.options.Regions); err != nil {
		return m, "", err
	}
	model, err := identity(p.options.Model.Name)
	if err != nil {
		return m, "", err
	}
	regions, err := m.Bytes()
	if err != nil {
		return m, "", err
	}
	o := p.options
	made, err = madeOfQuestions([]any{"predict", p.part.String(), o.Kind, model, o.Model.Labels, o.Model.DType, o.Model.MaxTokens, o.Parquet, sha256.Sum256(regions)}, p.asked)
	return m, made, err
}

// answer asks the model.
func (p *predictPart) answer(ctx context.Context, m data.Manifest) (answers []Answer, letters []DeadLetter, err error) {
	model, err := p.options.Model.open(ctx, p.options.Kind)
	if err != nil {
		return nil, nil, err
	}
	var qs []questions.Question
	var of []Asked
	asked := map[string]Asked{}
	for _, a := range p.asked {
		q, err := decodeQuestion(a.Text)
		switch _, twice := asked[a.ID]; {
		case a.Fault != "":
			letters = append(letters, DeadLetter{a.ID, a.Path, a.Fault})
		case err != nil:
			return nil, nil, fmt.Errorf("%s: %w", a.Path, err)
		case twice:
			letters = append(letters, DeadLetter{a.ID, a.Path, "id: comes a second time, want each once: first in " + asked[a.ID].Path})
		default:
			qs, of = append(qs, q), append(of, a)
			asked[a.ID] = a
		}
	}
	if len(qs) == 0 {
		return nil, letters, nil
	}
	regions, err := p.regions(ctx, m, qs)
	if err != nil {
		return nil, nil, err
	}
	defer regions.Close()
	predictions, err := model.answer(ctx, regions, qs, predict.Options{Batch: p.options.Batch, Bad: func(bad *predict.QuestionError) {
		letters = append(letters, DeadLetter{bad.ID, asked[bad.ID].Path, bad.Err.Error()})
	}})
	if err != nil {
		return nil, nil, err
	}
	at := 0
	for _, prediction := range predictions {
		for of[at].ID != prediction.ID { // those that are left out are dead letters
			at++
		}
		q := qs[at]
		answers = append(answers, Answer{
			ID: prediction.ID, Image: q.Image, Second: q.Second, Sentence: q.Sentence, Answer: prediction.Answer, Probability: prediction.Probability,
			File: int64(of[at].File), Record: int64(of[at].Record),
		})
	}
	slices.SortStableFunc(letters, func(a, b DeadLetter) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.ID, b.ID)) })
	return answers, letters, nil
}

// publish writes the part's files, the receipt last.
func (p *predictPart) publish(ctx context.Context, made string, done *Done, answers []Answer, letters []DeadLetter) error {
	out := p.options.Out
	if err := reopen(ctx, out, p.part); err != nil {
		return err
	}
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	lines.SetEscapeHTML(false)
	for _, a := range answers {
		if err := lines.Encode(a); err != nil {
			return err
		}
	}
	contents := map[string][]byte{".jsonl": text.Bytes()}
	if p.options.Parquet {
		table, err := parquetOf(answers)
		if err != nil {
			return err
		}
		contents[".parquet"] = table
	}
	var all []file
	for _, end := range []string{".jsonl", ".parquet"} {
		content, ok := contents[end]
		name := answersName(p.part) + end
		if !ok { // of a job that wanted it
			if err := files.Remove(ctx, files.Join(out, name)); err != nil {
				return err
			}
			continue
		}
		if err := files.Write(ctx, files.Join(out, name), content); err != nil {
			return err
		}
		all = append(all, file{name, int64(len(content))})
		done.Bytes += int64(len(content))
	}
	if err := putDeadLetters(ctx, out, p.part, letters); err != nil {
		return err
	}
	return sign(ctx, out, made, *done, all)
}

// regions are those of the part, read where they are or fetched to this machine; for statements about two pictures also those of the parts that have the
// second.
func (p *predictPart) regions(ctx context.Context, m data.Manifest, qs []questions.Question) (data.Source, error) {
	if files.IsLocal(p.options.Regions) {
		return data.OpenStore(p.options.Regions)
	}
	wanted := map[int]bool{p.part.Index: true}
	for _, q := range qs {
		if q.Second != "" {
			wanted[data.PartOf(q.Second, m.Parts)] = true
		}
	}
	part := m
	part.Shards, part.Images, part.Regions = nil, 0, 0
	for _, shard := range m.Shards {
		if wanted[shard.Part] {
			part.Shards = append(part.Shards, shard)
			part.Images += shard.Images
			part.Regions += shard.Regions
		}
	}
	dir, err := os.MkdirTemp(p.options.Scratch, "lxmert-beam-regions-")
	if err != nil {
		return nil, err
	}
	store, err := fetchStore(ctx, p.options.Regions, dir, part)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return fetchedStore{store, dir}, nil
}

// fetchStore fetches the shards that a manifest names.
func fetchStore(ctx context.Context, from, to string, m data.Manifest) (*data.Store, error) {
	for _, shard := range m.Shards {
		for _, name := range []string{shard.File, shard.Index} {
			if err := files.Fetch(ctx, files.Join(from, name), filepath.Join(to, name)); err != nil {
				return nil, err
			}
		}
	}
	content, err := m.Bytes()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(to, data.ManifestName), content, 0o644); err != nil {
		return nil, err
	}
	return data.OpenStore(to)
}

// A fetchedStore goes when it is closed.
type fetchedStore struct {
	*data.Store
	dir string
}

func (s fetchedStore) Close() error {
	err := s.Store.Close()
	os.RemoveAll(s.dir)
	return err
}

// readAnswers reads what a part has.
func readAnswers(r io.Reader) (all []Answer, err error) {
	lines := json.NewDecoder(r)
	for {
		var a Answer
		if err := lines.Decode(&a); err == io.EOF {
			return all, nil
		} else if err != nil {
			return all, fmt.Errorf("answer %d: %w", len(all), err)
		}
		all = append(all, a)
	}
}

// submit writes answers in the order of the questions.
func submit(ctx context.Context, kind questions.Kind, all []Answer, path string) error {
	slices.SortFunc(all, func(a, b Answer) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Record, b.Record)) })
	ids := make([]string, len(all))
	predictions := make([]eval.Prediction, len(all))
	for i, a := range all {
		ids[i], predictions[i] = a.ID, eval.Prediction{ID: a.ID, Answer: a.Answer}
	}
	var text bytes.Buffer
	if err := predict.Submit(&text, kind, ids, predictions); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return files.Write(ctx, path, text.Bytes())
}
