package main

func int8s() {}
