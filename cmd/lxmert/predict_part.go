package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/predict"
)

// predictPart answers the questions of one part, and puts all parts together if it was the last; without a file to write it prints its lines.
func predictPart(cmd *cobra.Command, files *fileFlags, file *questionFile, shard shardFlag) error {
	out, errOut, part := cmd.OutOrStdout(), cmd.ErrOrStderr(), shard.part
	shard.say(errOut)
	whole := file.qs
	header := predict.PartHeader{Part: part.Index, Parts: part.Of, Kind: file.kind, Questions: len(whole), SHA256: predict.QuestionsSHA256(whole)}
	if files.out != "" {
		if err := part.FitsBeside(files.out); err != nil {
			return err
		}
		if err := file.fits(files.out); err != nil {
			return err
		}
		var err error
		if header.By, err = files.answeredBy(); err != nil {
			return err
		}
	}
	indices := predict.Part(whole, part)
	file.qs = make([]questions.Question, len(indices))
	for k, i := range indices {
		file.qs[k] = whole[i]
	}
	predictions := []predict.Prediction{}
	if len(indices) > 0 {
		var err error
		if predictions, err = files.answer(cmd.Context(), file, errOut); err != nil {
			return err
		}
	}
	reportSkipped(errOut, file.skipped)
	if files.out == "" {
		return printPredictions(out, predictions)
	}
	if err := predict.WritePart(files.out, header, partRecords(whole, indices, predictions)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%s: part %v: %s answers\n", plain(files.out), part, grouped(len(predictions))); err != nil {
		return err
	}
	done, ok, err := predict.AssembleAfter(files.out, part)
	switch {
	case errors.Is(err, predict.ErrOtherRun): // whose parts may yet be written anew
		fmt.Fprintf(errOut, "note: the parts were not put together: %v\n", err)
		return nil
	case err != nil || !ok:
		return err
	}
	if done.Skipped > 0 {
		fmt.Fprintf(errOut, "warning: %s lacks %s questions that were skipped; servers want an answer to every question\n", files.out, grouped(done.Skipped))
	}
	_, err = fmt.Fprintf(out, "%s: %s answers in all %s parts\n", plain(files.out), grouped(done.Answers), grouped(done.Parts))
	return err
}

// partRecords are those of a part's questions; predictions are in the same order, without those that were skipped.
func partRecords(whole []questions.Question, indices []int, predictions []predict.Prediction) []predict.PartRecord {
	records := make([]predict.PartRecord, len(indices))
	for k, i := range indices {
		id := whole[i].ID.String()
		records[k] = predict.PartRecord{Index: i, ID: id}
		if len(predictions) > 0 && predictions[0].ID == id {
			records[k].Answer, records[k].Probability = predictions[0].Answer, predictions[0].Probability
			predictions = predictions[1:]
		} else {
			records[k].Skipped = true
		}
	}
	return records
}

// answeredBy is a hash of the model's files, and of the flags that answers depend on: parts that differ in it do not belong together.
func (f *fileFlags) answeredBy() (string, error) {
	weights, err := checkpoint.Open(f.model)
	if err != nil {
		return "", err
	}
	paths := weights.Files()
	weights.Close()
	for _, name := range []string{"config.json", "tokenizer.json", "vocab.txt", "labels.json"} {
		paths = append(paths, filepath.Join(f.model, name))
	}
	if f.labels != "" {
		paths = append(paths, f.labels)
	}
	h := sha256.New()
	for _, path := range paths {
		if err := hashFile(h, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return fmt.Sprintf("model %s, --max-tokens %d, --dtype %q, --hide %q", hex.EncodeToString(h.Sum(nil))[:16], f.maxTokens, f.dtype.String(), string(f.hide)), nil
}

func hashFile(h io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	fmt.Fprintf(h, "%s\n", filepath.Base(path))
	_, err = io.Copy(h, file)
	return err
}
