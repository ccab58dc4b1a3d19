//go:build mpi

package main

import (
	"os"
	"slices"
	"time"

	"github.com/go-lxmert/lxmert/cluster/mpi"
)

// launched are variables of which a launcher of MPI programs sets one: Open MPI's mpirun, PMIx (also srun's), PMI (MPICH's, also srun's).
var launched = []string{"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_FD"}

func init() {
	var met *mpi.World
	meet = func(patience time.Duration) (world, error) {
		if !slices.ContainsFunc(launched, func(name string) bool { return os.Getenv(name) != "" }) {
			return nil, nil // who is alone needs no MPI
		}
		if met == nil {
			var err error
			if met, err = mpi.Open(patience); err != nil {
				return nil, err
			}
		}
		return met, nil
	}
	leave = func() error {
		if met == nil {
			return nil
		}
		return met.Close()
	}
}
