// Package curves draws the logs of training runs: losses, gradient norm and learning rate by step, scores by epoch; several runs in
// one picture, as PNG or SVG.
package curves

import (
	"strings"

	"os"
	"path/filepath"
	"sort"

	"github.com/go-lxmert/lxmert/train"
)

// A Run is what is drawn of a log.
type Run struct {
	Name  string // in the legend
	Steps int    // the last step's number

	steps  map[string][]point // by step: loss, gradient norm, learning rate, and "loss/" with each task
	epochs []train.EpochRecord
}

type point struct{ x, y float64 }

// The curves by step that are no task's.
const (
	loss         = "loss"
	gradientNorm = "gradient norm"
	learningRate = "learning rate"
	taskLoss     = "loss/" // and the task's name
)

// Read reads a run: its directory, in which log.jsonl is, or the log itself. Where a run that was killed went on from an earlier step, what
// it did later counts.
func Read(path string) (*Run, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if info.IsDir() {
		path = filepath.Join(path, "log.jsonl")
	}
	r := &Run{steps: map[string][]point{}}
	for record, err := range train.ReadLog(path) {
		if err != nil {
			return nil, err
		}
		if s := record.Step; s != nil {
			if s.Step <= r.Steps {
				r.forget(s.Step)
			}
			r.Steps = s.Step
			r.add(loss, s.Step, s.Loss)
			r.add(gradientNorm, s.Step, s.GradientNorm)
			r.add(learningRate, s.Step, s.LearningRate)
			for task, v := range s.Losses {
				r.add(taskLoss+task, s.Step, v)
			}
		} else {
			r.forgetEpochs(record.Epoch.Step)
			r.epochs = append(r.epochs, *record.Epoch)
		}
	}
	r.dropOnlyTask()
	return r, nil
}

// dropOnlyTask leaves out the loss of a task that is all there is: it is the loss.
func (r *Run) dropOnlyTask() {
	var tasks []string
	for name := range r.steps {
		if strings.HasPrefix(name, taskLoss) {
			tasks = append(tasks, name)
		}
	}
	if len(tasks) == 1 {
		delete(r.steps, tasks[0])
	}
}

func (r *Run) add(curve string, step int, v float64) {
	r.steps[curve] = append(r.steps[curve], point{float64(step), v})
}

// forget drops a step and what came after it.
func (r *Run) forget(step int) {
	for name, points := range r.steps {
		r.steps[name] = points[:sort.Search(len(points), func(i int) bool { return points[i].x >= float64(step) })]
	}
	r.forgetEpochs(step)
}

func (r *Run) forgetEpochs(step int) {
	r.epochs = r.epochs[:sort.Search(len(r.epochs), func(i int) bool { return r.epochs[i].Step >= step })]
}

// validation is a curve of what was measured after epochs, by step; "" as the task is the whole loss.
func (r *Run) validation(task string) []point {
	var points []point
	for _, e := range r.epochs {
		if v, ok := e.ValidLosses[task]; ok && task != "" {
			points = append(points, point{float64(e.Step), v})
		} else if task == "" && e.ValidLoss != nil {
			points = append(points, point{float64(e.Step), *e.ValidLoss})
		}
	}
	return points
}

// scores are by epoch.
func (r *Run) scores() (train, valid []point) {
	for _, e := range r.epochs {
		if e.TrainScore != nil {
			train = append(train, point{float64(e.Epoch), *e.TrainScore})
		}
		if e.ValidScore != nil {
			valid = append(valid, point{float64(e.Epoch), *e.ValidScore})
		}
	}
	return train, valid
}
