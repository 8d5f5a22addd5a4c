"""The generated stubs and types of pixy.v1, made by `make protos`; never edited."""
