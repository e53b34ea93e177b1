"""Names of things that a prompt places: nouns of captions, and the word forms that mean them."""

from __future__ import annotations

NAMES = (
    "man", "woman", "boy", "girl", "child", "baby", "person", "crowd", "player", "rider", "skier",
    "snowboarder", "skateboarder", "surfer", "climber", "cyclist", "dog", "cat", "horse", "bird", "cow",
    "sheep", "elephant", "giraffe", "zebra", "bear", "bull", "duck", "fish", "goat", "camel", "puppy", "car",
    "truck", "bus", "train", "bike", "motorcycle", "boat", "airplane", "kayak", "raft", "scooter", "cart",
    "jeep", "van", "wagon", "stroller", "sled", "beach", "ocean", "water", "lake", "river", "pool", "snow",
    "sand", "grass", "field", "tree", "rock", "mountain", "hill", "sky", "cloud", "wave", "waterfall", "sunset",
    "forest", "park", "garden", "flower", "bush", "leaf", "mud", "dirt", "path", "trail", "road", "street",
    "sidewalk", "track", "cliff", "stream", "pond", "puddle", "ice", "fire", "building", "house", "wall",
    "fence", "bridge", "stairs", "door", "window", "bench", "playground", "slide", "swing", "ramp", "pole",
    "sign", "roof", "tower", "church", "store", "restaurant", "stadium", "court", "stage", "fountain", "statue",
    "tent", "railing", "dock", "station", "tunnel", "ladder", "gate", "light", "table", "chair", "couch", "bed",
    "desk", "kitchen", "bathroom", "toilet", "sink", "stove", "refrigerator", "oven", "counter", "floor",
    "carpet", "blanket", "curtain", "lamp", "mirror", "shelf", "book", "television", "computer", "laptop",
    "keyboard", "phone", "clock", "vase", "picture", "plate", "bowl", "cup", "bottle", "glass", "pizza", "cake",
    "sandwich", "fruit", "apple", "banana", "food", "drink", "coffee", "bread", "vegetable", "donut",
    "umbrella", "bag", "hat", "helmet", "ball", "frisbee", "skateboard", "surfboard", "snowboard", "ski", "bat",
    "racket", "guitar", "kite", "toy", "stick", "rope", "balloon", "camera", "flag", "microphone", "drum",
    "board", "box", "basket",
)  # fmt: skip

_FORMS = {
    "men": "man", "guy": "man", "guys": "man", "women": "woman", "lady": "woman", "ladies": "woman",
    "children": "child", "kid": "child", "kids": "child", "toddler": "child", "toddlers": "child", "babies": "baby",
    "infant": "baby", "people": "person", "persons": "person", "adults": "person", "spectators": "crowd",
    "snowboards": "snowboard", "skis": "ski", "dogs": "dog", "greyhound": "dog", "greyhounds": "dog",
    "poodle": "dog", "retriever": "dog", "kitten": "cat", "puppies": "puppy", "geese": "duck", "cattle": "cow",
    "bicycle": "bike", "bicycles": "bike", "bikes": "bike", "motorbike": "motorcycle", "plane": "airplane",
    "planes": "airplane", "jet": "airplane", "canoe": "boat", "ship": "boat", "sea": "ocean", "surf": "wave",
    "waters": "water", "snowy": "snow", "sandy": "sand", "grassy": "grass", "lawn": "grass", "meadow": "field",
    "woods": "forest", "wooded": "forest", "rocky": "rock", "stone": "rock", "stones": "rock", "boulder": "rock",
    "hillside": "hill", "slope": "hill", "leaves": "leaf", "bushes": "bush", "muddy": "mud", "shop": "store",
    "bleachers": "stadium", "steps": "stairs", "stair": "stairs", "staircase": "stairs", "sofa": "couch",
    "tv": "television", "fridge": "refrigerator", "benches": "bench", "churches": "church", "branches": "tree",
    "glasses": "glass", "dishes": "plate", "sandwiches": "sandwich", "boxes": "box", "buses": "bus",
    "beaches": "beach", "couches": "couch", "shelves": "shelf", "lights": "light",
    "donuts": "donut", "cellphone": "phone", "skiers": "skier",
}  # fmt: skip
_KNOWN = {name: name for name in NAMES} | {f"{name}s": name for name in NAMES} | _FORMS

# COCO's categories that have another name here; used to judge places, and as labels.
COCO = {
    "bicycle": "bike", "dining table": "table", "tv": "television", "cell phone": "phone", "wine glass": "glass",
    "potted plant": "flower", "sports ball": "ball", "baseball bat": "bat", "tennis racket": "racket", "skis": "ski",
    "handbag": "bag", "backpack": "bag", "suitcase": "bag", "traffic light": "light", "stop sign": "sign",
    "grass-merged": "grass", "tree-merged": "tree", "sky-other-merged": "sky", "building-other-merged": "building",
    "wall-other-merged": "wall", "wall-brick": "wall", "wall-stone": "wall", "wall-tile": "wall", "wall-wood": "wall",
    "fence-merged": "fence", "floor-other-merged": "floor", "floor-wood": "floor", "water-other": "water",
    "mountain-merged": "mountain", "rock-merged": "rock", "dirt-merged": "dirt", "pavement-merged": "sidewalk",
    "window-other": "window", "door-stuff": "door", "table-merged": "table", "food-other-merged": "food",
    "playingfield": "field", "mirror-stuff": "mirror", "window-blind": "window", "light": "light",
}  # fmt: skip


def thing(word: str) -> str | None:
    """The thing that a word of a caption or a COCO category names, or None."""
    return _KNOWN.get(word) or COCO.get(word) or None


def things(words: list[str]) -> set[str]:
    """All things that words name."""
    return {name for word in words if (name := thing(word))}
