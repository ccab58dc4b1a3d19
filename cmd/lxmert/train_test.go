package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/internal/blocks"
	"github.com/go-lxmert/lxmert/train"
)

// tinySets make a model with fresh weights that learns in moments.
var tinySets = []string{"--set", "hidden_size=16", "--set", "num_attention_heads=2", "--set", "intermediate_size=32", "--set", "l_layers=1", "--set", "r_layers=1", "--set", "x_layers=1",
	"--set", "visual_feat_dim=16", "--set", "num_object_labels=4", "--set", "num_attr_labels=4", "--set", "max_position_embeddings=16"}

// school is a directory of data, and where its runs go.
type school struct {
	t    *testing.T
	dir  string
	runs string
}

func newSchool(t *testing.T) *school {
	t.Helper()
	t.Setenv("GOMLX_BACKEND", "")
	return &school{t, blocks.Files(t, blocks.Scenes(1, "l", 12), blocks.Scenes(2, "j", 5)), t.TempDir()}
}

// file is a file of the data, run a run's directory or something in it.
func (s *school) file(name string) string { return filepath.Join(s.dir, name) }
func (s *school) run(name string) string  { return filepath.Join(s.runs, name) }

// pretrain is a command line that pre-trains; vqa one that fine-tunes for questions, from fresh weights.
func (s *school) pretrain(out string, more ...string) []string {
	return slices.Concat([]string{"pretrain", "--train", s.file("pretrain_train.json"), "--valid", s.file("pretrain_valid.json"), "--features", s.file("features.tsv"), "--labels", s.file("all_ans.json"),
		"--vocab", s.file("vocab.txt"), "--out", s.run(out), "--batch", "16", "--epochs", "2"}, tinySets, more)
}

func (s *school) vqa(out string, more ...string) []string {
	return slices.Concat(s.finetune("vqa", out, more...), []string{"--vocab", s.file("vocab.txt"), "--labels", s.file("labels.json")}, tinySets)
}

// finetune leaves open what the model begins with.
func (s *school) finetune(kind, out string, more ...string) []string {
	return append([]string{"finetune", kind, "--train", s.file(kind + "_train.json"), "--valid", s.file(kind + "_valid.json"), "--features", s.file("features.tsv"),
		"--out", s.run(out), "--batch", "12", "--epochs", "2", "--lr", "1e-3"}, more...)
}

// ok runs a command line, which must succeed, and gives what it says.
func (s *school) ok(args ...string) (out, errOut string) {
	s.t.Helper()
	code, out, errOut := command(s.t, "", args...)
	if code != exitOK {
		s.t.Fatalf("%q: exit code %d: %s%s", args, code, out, errOut)
	}
	return out, errOut
}

// refused runs a command line, which must fail with that code and words.
func (s *school) refused(code int, want string, args ...string) {
	s.t.Helper()
	got, _, errOut := command(s.t, "", args...)
	if got != code || !strings.Contains(errOut, want) {
		s.t.Errorf("%q:\nexit code %d: %s\nwant %d: %s", args, got, errOut, code, want)
	}
}

// log reads a run's log.
func (s *school) log(run string) (steps []train.StepRecord, epochs []train.EpochRecord) {
	s.t.Helper()
	for record, err := range train.ReadLog(s.run(filepath.Join(run, train.LogName))) {
		switch {
		case err != nil:
			s.t.Fatal(err)
		case record.Step != nil:
			steps = append(steps, *record.Step)
		default:
			epochs = append(epochs, *record.Epoch)
		}
	}
	return steps, epochs
}

// read is the content of a file.
func (s *school) read(path string) string {
	s.t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(content)
}

// accuracy is what eval says of a model, whose answers go to a file, and its warnings.
func (s *school) accuracy(kind, model, data, out string) (accuracy float64, warnings string) {
	s.t.Helper()
	text, warnings := s.ok("eval", kind, "--model", s.run(model), "--data", data, "--features", s.file("features.tsv"), "--json", "--out", out, "--max-tokens", "16")
	var score struct{ Accuracy *float64 }
	if err := json.Unmarshal([]byte(text), &score); err != nil || score.Accuracy == nil {
		s.t.Fatalf("%s: %v", text, err)
	}
	return *score.Accuracy, warnings
}

// graduates checks that what eval says of a run's models is what the run's log and last predictions say.
func (s *school) graduates(kind, run, valid string) {
	s.t.Helper()
	_, epochs := s.log(run)
	best := 0.0
	for _, e := range epochs {
		best = max(best, *e.ValidScore)
	}
	out := s.run("answers-" + run)
	if got, _ := s.accuracy(kind, run+"/best", valid, out); got != best || best == 0 {
		s.t.Errorf("%s: eval of the best model says %v, the log %v", run, got, best)
	}
	if got, _ := s.accuracy(kind, run+"/last", valid, out); got != *epochs[len(epochs)-1].ValidScore {
		s.t.Errorf("%s: eval of the last model says %v, the log %v", run, got, *epochs[len(epochs)-1].ValidScore)
	}
	if got, want := s.read(s.run(run+"/"+train.PredictionsName)), s.read(out); got != want {
		s.t.Errorf("%s: predictions are\n%s\neval's\n%s", run, got, want)
	}
}

// TestTraining goes the whole way: pre-training, fine-tuning for each data set from it, and scoring.
func TestTraining(t *testing.T) {
	s := newSchool(t)
	out, errOut := s.ok(s.pretrain("pre")...)
	if !strings.Contains(errOut, "weights begin afresh") || !strings.Contains(errOut, "72 examples to learn from, 30 to be judged by, 17 pictures") || !strings.Contains(out, "pre: 8 steps, 2 epochs; lowest validation loss ") {
		t.Errorf("pretrain says %s%s", out, errOut)
	}
	steps, epochs := s.log("pre")
	if len(steps) != 8 || len(steps[0].Losses) != 6 || len(epochs) != 2 || epochs[0].ValidLoss == nil || len(epochs[0].ValidLosses) != 6 {
		t.Errorf("the log has %d steps and %d epochs: %+v", len(steps), len(epochs), epochs)
	}

	_, errOut = s.ok(s.finetune("vqa", "vqa", "--load-answers", s.run("pre/best"), "--labels", s.file("labels.json"))...)
	if !strings.Contains(errOut, "3 of 5 answers take over their pre-trained weights") {
		t.Errorf("finetune says %s", errOut)
	}
	s.graduates("vqa", "vqa", s.file("vqa_valid.json"))
	_, warnings := s.accuracy("vqa", "vqa/best", s.file("vqa_train.json"), s.run("seen.json"))
	if n := strings.Count(warnings, "warning: "); n < 2 || !strings.Contains(warnings, "vqa train") || !strings.Contains(warnings, "pretrain_train") {
		t.Errorf("scored on what it has learned: %s", warnings)
	}
	if _, warnings := s.accuracy("vqa", "vqa/best", s.file("vqa_valid.json"), s.run("new.json")); strings.Contains(warnings, "warning: ") {
		t.Errorf("scored on what is new: %s", warnings)
	}
	trained, err := eval.ReadTrained(s.run("vqa/best/" + eval.TrainedName))
	if err != nil || len(trained) != 2 || trained[0].Stage != "pretrain" || trained[1].Stage != "finetune" || trained[1].Examples != 60 {
		t.Errorf("trained on %+v, %v", trained, err)
	}

	// The three data sets as they come, and one of one's own.
	s.ok(s.finetune("nlvr2", "nlvr2", "--init", s.run("pre/best"))...)
	s.graduates("nlvr2", "nlvr2", s.file("nlvr2_valid.json"))

	for _, part := range []string{"train", "valid"} {
		qs := blocks.Questions(map[string][]blocks.Scene{"train": blocks.Scenes(1, "l", 12), "valid": blocks.Scenes(2, "j", 5)}[part], 100)
		for i := range qs {
			qs[i].ID = questions.TextID("0" + qs[i].ID.String())
		}
		if _, err := questions.Write(s.file("gqa_"+part+".json"), blocks.Seq(qs)); err != nil {
			t.Fatal(err)
		}
		own := "image,question,answer1,answer2\n"
		for _, q := range qs {
			own += fmt.Sprintf("%s,%s,%s,%s\n", q.Image, q.Sentence, q.Label[0].Answer, q.Label[0].Answer)
		}
		if err := os.WriteFile(s.file("own_"+part+".csv"), []byte(own), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := s.finetune("gqa", "gqa", "--init", s.run("pre/best"), "--labels", s.file("labels.json"))
	at := slices.Index(args, "--lr")
	_, errOut = s.ok(slices.Delete(args, at, at+2)...)
	if !strings.Contains(errOut, "the answer head is left out, for its answers are others") {
		t.Errorf("finetune gqa says %s", errOut)
	}
	s.graduates("gqa", "gqa", s.file("gqa_valid.json"))
	record, err := train.ReadRecord(s.run("gqa"))
	if err != nil || record.Settings["lr"] != "1e-05" {
		t.Errorf("the record of gqa: %+v, %v", record, err)
	}
	if steps, _ := s.log("gqa"); steps[2].LearningRate > 1e-5 || steps[2].LearningRate < 5e-6 {
		t.Errorf("gqa learns at a rate of %v", steps[2].LearningRate)
	}

	s.ok(slices.Concat([]string{"finetune", "vqa", "--train", s.file("own_train.csv"), "--valid", s.file("own_valid.csv"), "--features", s.file("features.tsv"), "--init", s.run("vqa/best"),
		"--out", s.run("own"), "--batch", "12", "--epochs", "1", "--lr", "1e-3"})...)
	s.graduates("vqa", "own", s.file("own_valid.csv"))
}

// TestTrainingVQAFiles learns from VQA's own questions and annotations, whose answers outside of the table are left out.
func TestTrainingVQAFiles(t *testing.T) {
	s := newSchool(t)
	files := map[string]string{}
	var all []blocks.Scene
	for number, part := range []string{"train2014", "val2014"} {
		world := blocks.Scenes(uint64(number), "", 8)
		var asked, answered []string
		for i := range world {
			world[i].ID = fmt.Sprintf("COCO_%s_%012d", part, i+1)
		}
		for k, q := range blocks.Questions(world, 0) {
			asked = append(asked, fmt.Sprintf(`{"image_id": %d, "question": %q, "question_id": %v}`, k/5+1, q.Sentence, q.ID))
			var people []string
			for person := range 10 {
				answer := q.Label[0].Answer
				if person >= 8 {
					answer = "an answer that no table has"
				}
				people = append(people, fmt.Sprintf(`{"answer": %q}`, answer))
			}
			answered = append(answered, fmt.Sprintf(`{"question_id": %v, "image_id": %d, "question_type": "is", "answer_type": "yes/no", "multiple_choice_answer": "yes", "answers": [%s]}`, q.ID, k/5+1, strings.Join(people, ",")))
		}
		files["questions "+part] = lines(t, "v2_OpenEnded_mscoco_"+part+"_questions.json", fmt.Sprintf(`{"data_subtype": %q, "questions": [%s]}`, part, strings.Join(asked, ",")))
		files["annotations "+part] = lines(t, "v2_mscoco_"+part+"_annotations.json", fmt.Sprintf(`{"annotations": [%s]}`, strings.Join(answered, ",")))
		all = append(all, world...)
	}
	s.dir = blocks.Files(t, all[:8], all[8:])
	args := []string{"finetune", "vqa", "--train", files["questions train2014"], "--annotations", files["annotations train2014"],
		"--valid", files["questions val2014"], "--valid-annotations", files["annotations val2014"], "--features", s.file("features.tsv"),
		"--vocab", s.file("vocab.txt"), "--labels", s.file("labels.json"), "--out", s.run("raw"), "--batch", "8", "--epochs", "2", "--lr", "1e-3"}
	s.ok(append(args, tinySets...)...)
	_, epochs := s.log("raw")
	out, _ := s.ok("eval", "vqa", "--model", s.run("raw/last"), "--data", files["questions val2014"], "--annotations", files["annotations val2014"], "--features", s.file("features.tsv"),
		"--json", "--out", s.run("out.json"), "--max-tokens", "16")
	var score struct{ Accuracy float64 }
	if err := json.Unmarshal([]byte(out), &score); err != nil {
		t.Fatal(err)
	}
	// Eight of ten people agree, so an answer is right or wrong, in per cent for the official accuracy.
	if got := 100 * *epochs[1].ValidScore; got-score.Accuracy > 1e-6 || score.Accuracy-got > 1e-6 || got == 0 {
		t.Errorf("the log says %v, eval %v", got, score.Accuracy)
	}
	if s.read(s.run("out.json")) != s.read(s.run("raw/"+train.PredictionsName)) {
		t.Error("predictions differ from eval's")
	}
	trained, err := eval.ReadTrained(s.run("raw/last/" + eval.TrainedName))
	if err != nil || len(trained) != 1 || trained[0].Name != "train2014" {
		t.Errorf("trained on %+v, %v", trained, err)
	}
	s.refused(exitUsage, "--annotations: found 1, want one for each of the 2 --train", append(append(args, tinySets...), "--out", s.run("two"), "--train", files["questions val2014"])...)
}

// stopper cancels a context when it hears a word.
type stopper struct {
	bytes.Buffer
	word   string
	cancel func()
}

func (s *stopper) Write(p []byte) (int, error) {
	n, err := s.Buffer.Write(p)
	if strings.Contains(s.String(), s.word) {
		s.cancel()
	}
	return n, err
}

// TestTrainingResume: a run that was stopped goes on, from files that have moved; and not with other options or data.
func TestTrainingResume(t *testing.T) {
	s := newSchool(t)
	s.ok(s.pretrain("pre")...)
	begin := func(out string, more ...string) []string {
		return s.finetune("vqa", out, append([]string{"--init", s.run("pre/best"), "--labels", s.file("labels.json"), "--save-every", "2"}, more...)...)
	}
	s.ok(begin("whole")...)
	ctx, cancel := context.WithCancel(t.Context())
	errOut := &stopper{word: "epoch 1/2", cancel: cancel}
	var out strings.Builder
	if code := run(ctx, begin("part"), strings.NewReader(""), &out, errOut); code != exitFailure || !strings.Contains(errOut.String(), "the same command with --resume goes on") {
		t.Fatalf("exit code %d: %s%s", code, &out, errOut)
	}
	if steps, _ := s.log("part"); len(steps) >= 10 || len(steps) < 5 {
		t.Fatalf("stopped after %d steps", len(steps))
	}
	part := s.run("part")
	s.refused(exitUsage, "holds a run already", begin("part")...)
	for name, c := range map[string]struct {
		want string
		args []string
	}{
		"rate":      {"--lr was 0.001, is 0.002", begin("part", "--resume", "--lr", "2e-3")},
		"epochs":    {"--epochs was 2, is 3", begin("part", "--resume", "--epochs", "3")},
		"shuffle":   {"--no-shuffle was false, is true", begin("part", "--resume", "--no-shuffle")},
		"more data": {"it read 4 files, not 5", begin("part", "--resume", "--train", s.file("vqa_valid.json"))},
	} {
		t.Run(name, func(t *testing.T) { s.refused(exitFailure, c.want, c.args...) })
	}
	labels := s.read(s.file("labels.json"))
	changed := func(name, content, want string) {
		was := s.read(s.file(name))
		if err := os.WriteFile(s.file(name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		s.refused(exitFailure, want, begin("part", "--resume")...)
		if err := os.WriteFile(s.file(name), []byte(was), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	changed("labels.json", strings.Replace(strings.Replace(strings.Replace(labels, "yes", "x", 1), "no", "yes", 1), "x", "no", 1), "the answers data in "+s.file("labels.json"))
	changed("vqa_train.json", strings.Replace(s.read(s.file("vqa_train.json")), "red", "blue", 1), "the train data in "+s.file("vqa_train.json"))
	changed("vqa_valid.json", strings.Replace(s.read(s.file("vqa_valid.json")), "red", "blue", 1), "the valid data in ")
	changed("features.tsv", s.read(s.file("features.tsv"))+"\n", "the features data in ")

	release, err := train.Claim(part)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(part, "last.partial"), 0o755); err != nil { // what the program that holds it is writing
		t.Fatal(err)
	}
	s.refused(exitFailure, "is the run under way?", begin("part", "--resume")...)
	if _, err := os.Stat(filepath.Join(part, "last.partial")); err != nil {
		t.Errorf("what a run under way was writing: %v", err)
	}
	release()

	// All files move, and what the run began with loses its list of what it had learned.
	moved := t.TempDir()
	if err := os.CopyFS(moved, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	s.dir = moved
	if err := os.Remove(s.run("pre/best/" + eval.TrainedName)); err != nil {
		t.Fatal(err)
	}
	s.ok(begin("part", "--resume")...)
	for _, name := range []string{"last/model.safetensors", "best/model.safetensors", "last/trained.json", train.PredictionsName} {
		if s.read(s.run("part/"+name)) != s.read(s.run("whole/"+name)) {
			t.Errorf("%s differs from that of a run that was not stopped", name)
		}
	}
	record, err := train.ReadRecord(part)
	if err != nil || len(record.Resumed) != 1 {
		t.Errorf("record %+v, %v", record, err)
	}
	s.ok(begin("part", "--resume", "--keep", "2", "--log-every", "5", "--save-every", "1m")...) // which decide nothing, of a run that has ended

	// With nothing to go on from --resume begins, but not over something that is not known.
	s.ok(begin("new", "--resume", "--max-steps", "2")...)
	if err := os.Remove(s.run("new/" + train.RecordName)); err != nil {
		t.Fatal(err)
	}
	s.refused(exitFailure, "has a last of a run, but no run.json", begin("new", "--resume")...)
}

// TestPretrainResume: what pre-training leaves to chance is the same after a stop.
func TestPretrainResume(t *testing.T) {
	s := newSchool(t)
	more := []string{"--accumulate", "2", "--optimizer", "adam", "--qa-from", "2"}
	s.ok(s.pretrain("whole", more...)...)
	ctx, cancel := context.WithCancel(t.Context())
	if code := run(ctx, s.pretrain("part", more...), strings.NewReader(""), io.Discard, &stopper{word: "epoch 1/2", cancel: cancel}); code != exitFailure {
		t.Fatalf("exit code %d", code)
	}
	s.ok(s.pretrain("part", append(more, "--resume")...)...)
	for _, name := range []string{"last/model.safetensors", "last/training.safetensors", "best/model.safetensors", "last/trained.json", "last/labels.json"} {
		if s.read(s.run("part/"+name)) != s.read(s.run("whole/"+name)) {
			t.Errorf("%s differs from that of a run that was not stopped", name)
		}
	}
	record, err := train.ReadRecord(s.run("part"))
	if err != nil || record.Settings["warmup"] != "0" {
		t.Errorf("adam has no warm-up, but the record says %+v, %v", record, err)
	}
	steps, epochs := s.log("part")
	wantSteps, wantEpochs := s.log("whole")
	for i := range wantSteps {
		steps[i].Seconds, wantSteps[i].Seconds = 0, 0
	}
	for i := range wantEpochs {
		epochs[i].Seconds, wantEpochs[i].Seconds, epochs[i].Busy, wantEpochs[i].Busy = 0, 0, nil, nil
	}
	if !reflect.DeepEqual(steps, wantSteps) || !reflect.DeepEqual(epochs, wantEpochs) {
		t.Errorf("the log is %+v %+v, want %+v %+v", steps, epochs, wantSteps, wantEpochs)
	}
}

// TestTrainingUsage refuses command lines that mean nothing, before anything is done.
func TestTrainingUsage(t *testing.T) {
	s := newSchool(t)
	for want, args := range map[string][]string{
		"--optimizer: found \"sgd\"":                       s.vqa("x", "--optimizer", "sgd"),
		"--save-every: found \"often\"":                    s.vqa("x", "--save-every", "often"),
		"--save-every: found \"-3\"":                       s.vqa("x", "--save-every", "-3"),
		"--tiny and --fast":                                s.vqa("x", "--tiny", "--fast"),
		"--log-every, --keep, --accumulate and --devices":  s.vqa("x", "--keep", "0"),
		"--dropout: found 1":                               s.vqa("x", "--dropout", "1"),
		"--init says all about the model":                  s.vqa("x", "--init", s.runs, "--bert", s.runs),
		"needs --vocab":                                    s.finetune("vqa", "x"),
		"--labels: a model with fresh weights":             s.finetune("vqa", "x", "--vocab", s.file("vocab.txt")),
		"--patience: without --valid":                      {"finetune", "vqa", "--train", s.file("vqa_train.json"), "--features", s.file("features.tsv"), "--out", s.run("x"), "--vocab", s.file("vocab.txt"), "--labels", s.file("labels.json"), "--patience", "2"},
		"statements of nlvr2 are true or false":            s.finetune("nlvr2", "x", "--vocab", s.file("vocab.txt"), "--labels", s.file("labels.json")),
		"--set: ":                                          append(s.vqa("x"), "--set", "hidden_size=17"),
		"--tasks: found \"sleep\"":                         s.pretrain("x", "--tasks", "sleep"),
		"--visual-losses: found \"colour\"":                s.pretrain("x", "--visual-losses", "colour"),
		"--qa-from: found 0":                               s.pretrain("x", "--qa-from", "0"),
		"--qa-sets: no answer of the table is of visual7w": s.pretrain("x", "--qa-sets", "visual7w"),
		"has no sentence of visual7w":                      s.pretrain("x", "--sets", "visual7w"),
	} {
		s.refused(exitUsage, want, args...)
	}
	for want, args := range map[string][]string{
		"a batch of 12 cannot be divided into 5 equal parts": s.vqa("x", "--accumulate", "5"),
		"found schedule \"steep\"":                           s.vqa("x", "--schedule", "steep"),
		"found a warm-up of 2":                               s.vqa("x", "--warmup", "2"),
		"found a learning rate of -1":                        s.vqa("x", "--lr", "-1"),
		"share of masked words is 7":                         s.pretrain("x", "--word-mask-rate", "7"),
		"no sentences in pre-training's form":                {"pretrain", "--data", t.TempDir(), "--vocab", s.file("vocab.txt"), "--out", s.run("x")},
	} {
		s.refused(exitFailure, want, args...)
	}
	if entries, err := os.ReadDir(s.runs); err != nil || len(entries) != 0 {
		t.Errorf("left behind %v, %v", entries, err)
	}
}

// TestTrainingSkipsBad leaves out what cannot be learned, if told to, and says so.
func TestTrainingSkipsBad(t *testing.T) {
	s := newSchool(t)
	qs := blocks.Questions(blocks.Scenes(1, "l", 12), 0)
	qs[3].Image, qs[7].Label, qs[8].Label = "lost", nil, append(qs[8].Label, answers.Score{Answer: "perhaps", Score: 1})
	if _, err := questions.Write(s.file("vqa_train.json"), blocks.Seq(qs)); err != nil {
		t.Fatal(err)
	}
	s.refused(exitFailure, `question 3: picture "lost"`, s.vqa("a")...)
	s.refused(exitFailure, `question 8: label: answer "perhaps" is not in the table`, s.vqa("a")...)
	_, errOut := s.ok(s.vqa("a", "--skip-bad", "--max-steps", "1")...)
	for _, want := range []string{"57 examples to learn from", `question 3: picture "lost"`, "question 7: label: ", "question 8: label: "} {
		if !strings.Contains(errOut, want) {
			t.Errorf("%q is not in: %s", want, errOut)
		}
	}
}

// TestPretrainDirectories finds sentences, regions and answers in --data; and learns only what it is told.
func TestPretrainDirectories(t *testing.T) {
	s := newSchool(t)
	for _, part := range []string{"train", "valid"} {
		dir := s.run(part)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for from, to := range map[string]string{"pretrain_" + part + ".json": "mine.json", "labels.json": "labels.json", "all_ans.json": "all_ans.json"} {
			if err := os.WriteFile(filepath.Join(dir, to), []byte(s.read(s.file(from))), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Rename(s.file("features.tsv"), s.run("train/features.tsv")); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"pretrain", "--data", s.run("train"), "--valid-data", s.run("valid"), "--vocab", s.file("vocab.txt"), "--batch", "16", "--epochs", "2"}, tinySets...)
	_, errOut := s.ok(append(args, "--out", s.run("all"), "--qa-from", "2")...)
	if !strings.Contains(errOut, "72 examples to learn from, 30 to be judged by") {
		t.Error(errOut)
	}
	steps, _ := s.log("all")
	for _, r := range steps {
		if _, learned := r.Losses["qa"]; learned != (r.Epoch == 2) {
			t.Errorf("epoch %d: losses %v", r.Epoch, r.Losses)
		}
	}
	s.ok(append(args, "--out", s.run("some"), "--tasks", "mask_lm,obj_predict", "--visual-losses", "feat", "--max-steps", "2")...)
	steps, _ = s.log("some")
	if len(steps[0].Losses) != 2 || steps[0].Losses["mask_lm"] == 0 || steps[0].Losses["feat"] == 0 {
		t.Errorf("losses %v", steps[0].Losses)
	}
}

// TestFinetuneKeepsAnswers: a model that does not say what its logits mean keeps its answer head where --labels has as many answers, and loses it
// where there are others. The first step has a learning rate of 0, so what it began with is what it is.
func TestFinetuneKeepsAnswers(t *testing.T) {
	s := newSchool(t)
	for name, c := range map[string]struct {
		answers int
		kept    bool
	}{"as many": {len(blocks.Labels), true}, "more": {len(blocks.Labels) + 1, false}} {
		begun := s.run("begun " + name)
		s.ok(slices.Concat([]string{"init", "--out", begun, "--vocab", s.file("vocab.txt"), "--seed", "7", "--set", fmt.Sprintf("num_qa_labels=%d", c.answers)}, tinySets)...)
		s.ok(append(s.finetune("vqa", name, "--init", begun), "--labels", s.file("labels.json"), "--max-steps", "1")...)
		const weight = "answer_head.logit_fc.0.weight"
		if same := slices.Equal(weightOf(t, begun, weight), weightOf(t, filepath.Join(s.run(name), train.LastName), weight)); same != c.kept {
			t.Errorf("%s answers: the head is the same: %t, want %t", name, same, c.kept)
		}
	}
}

// weightOf reads a weight of a model directory.
func weightOf(t *testing.T, dir, name string) []float32 {
	t.Helper()
	file, err := checkpoint.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	tensor, ok := file.Tensor(name)
	if !ok {
		t.Fatalf("%s has no %s", dir, name)
	}
	values, err := tensor.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return values
}
