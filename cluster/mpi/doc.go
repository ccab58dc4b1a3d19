// Package mpi connects the ranks of a training by MPI: on one machine through its memory, on several through whatever network the machines'
// MPI knows. [World] is a train.Reducer.
//
// It needs cgo and the build tag mpi; without them there is nothing here but this page. It is written to mpi.h alone, so Open MPI (pkg-config's
// ompi-c; Debian's libopenmpi-dev) and, with the further tag mpich, MPICH (pkg-config's mpich) both serve:
//
//	go build -tags mpi -o lxmert-mpi ./cmd/lxmert
//	mpirun -n 4 lxmert-mpi pretrain …
//
// A program that no launcher started is a world of one rank.
package mpi
