// Package batch has pipelines of Apache Beam for work that outgrows one machine: pictures to regions ([Extract]), questions to answers ([Predict]), data sets
// to LXMERT's JSON ([Data]).
//
// All three divide their work as 'lxmert extract --shard i/n' does: what belongs to an image belongs to the part that data.PartOf finds by the image's id
// alone. A part is one element of the pipeline, seconds to minutes of work, so that the runner may give it to any worker, at any time and again, and regions
// are never sent between workers: the questions about a part's images go to whoever reads that part's regions.
//
//	sources ─ items, each with its part ─ GroupByKey ─▶ a part: order, work, files, receipt ─▶ all parts done: manifest, dead letters
//
// An item that cannot be used (a picture that is damaged, a question about an image that is not there) becomes a dead letter with the reason: a line
// of JSON. What is not about one item fails the job. A part that is whole, of the same items and options, is not done again: its receipt says of what it was
// made.
package batch

import (
	"fmt"

	"github.com/go-lxmert/lxmert/data"
)

// A Done is what is known of a part when its files are in their places.
type Done struct {
	Part, Of     int
	Items        int   // pictures or questions that came, dead letters included
	Made         int   // of them, those that made it into the part's files
	DeadLetters  int   // the rest
	Regions      int   // extract: regions found
	Bytes        int64 // of the part's files
	Milliseconds int64 // of work; 0 if Whole
	Whole        bool  // it was there already
}

func (d Done) part() data.Part { return data.Part{Index: d.Part, Of: d.Of} }

// checkParts says whether work can be divided into so many parts.
func checkParts(n int) error {
	if n < 1 || n > data.MaxParts {
		return fmt.Errorf("parts: found %d, want 1 to %d", n, data.MaxParts)
	}
	return nil
}

// checkWorkers says whether so many parts can be worked on at once.
func checkWorkers(n int) error {
	if n < 1 || n > 1024 {
		return fmt.Errorf("workers: found %d, want 1 to 1024", n)
	}
	return nil
}
