"""Text of pictures: captioners, the language model of the prompt codec, sentence embeddings."""
